"""Dot products of user and item factors (fastbook, chapter 8)."""

import torch
from torch import Tensor, nn

from collab.estimators.sgd.parts import embedding, normal_parameter, sigmoid_range

Range = tuple[float, float]
Tables = tuple[list[Tensor], list[Tensor]]


class DotProduct(nn.Module):
    """The dot product of the factors, squashed into `y_range` where one is given."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        n_factors: int = 50,
        y_range: Range | None = None,
    ) -> None:
        """Draw the tables (n_users, n_factors) and (n_items, n_factors)."""
        super().__init__()
        self.user_factors = embedding(n_users, n_factors, generator)
        self.item_factors = embedding(n_items, n_factors, generator)
        self.y_range = y_range

    def tables(self) -> Tables:
        """The tables of the users and of the items, for the closed form of the gradient."""
        return [self.user_factors.weight], [self.item_factors.weight]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        score = (self.user_factors(users) * self.item_factors(items)).sum(dim=1)
        return score if self.y_range is None else sigmoid_range(score, *self.y_range)


class DotProductBias(nn.Module):
    """The dot product plus a bias for the user and one for the item, squashed into `y_range`."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        n_factors: int = 50,
        y_range: Range = (0, 5.5),
    ) -> None:
        """Draw the tables of factors and of biases."""
        super().__init__()
        self.user_factors = embedding(n_users, n_factors, generator)
        self.user_bias = embedding(n_users, 1, generator)
        self.item_factors = embedding(n_items, n_factors, generator)
        self.item_bias = embedding(n_items, 1, generator)
        self.y_range = y_range

    def tables(self) -> Tables:
        """The tables of the users and of the items, for the closed form of the gradient."""
        return (
            [self.user_factors.weight, self.user_bias.weight],
            [self.item_factors.weight, self.item_bias.weight],
        )

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        score = (self.user_factors(users) * self.item_factors(items)).sum(dim=1, keepdim=True)
        score = score + self.user_bias(users) + self.item_bias(items)  # (B, 1)
        return sigmoid_range(score.squeeze(1), *self.y_range)


class DotProductBiasParams(nn.Module):
    """`DotProductBias` on plain parameters, indexed, in place of embeddings."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        n_factors: int = 50,
        y_range: Range = (0, 5.5),
    ) -> None:
        """Draw the parameters from normal(0, 0.01)."""
        super().__init__()
        self.user_factors = normal_parameter(n_users, n_factors, generator=generator)
        self.user_bias = normal_parameter(n_users, generator=generator)
        self.item_factors = normal_parameter(n_items, n_factors, generator=generator)
        self.item_bias = normal_parameter(n_items, generator=generator)
        self.y_range = y_range

    def tables(self) -> Tables:
        """The tables of the users and of the items, for the closed form of the gradient."""
        return [self.user_factors, self.user_bias], [self.item_factors, self.item_bias]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        score = (self.user_factors[users] * self.item_factors[items]).sum(dim=1)
        score = score + self.user_bias[users] + self.item_bias[items]
        return sigmoid_range(score, *self.y_range)
