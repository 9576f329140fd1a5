"""The dot-product model that fastai's `collab_learner` makes."""

import torch
from torch import Tensor, nn

from collab.estimators.sgd.parts import embedding, sigmoid_range


class EmbeddingDotBias(nn.Module):
    """Factors and biases of users and items; without a `y_range` the score is left as it is."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        n_factors: int = 50,
        y_range: tuple[float, float] | None = None,
    ) -> None:
        """Draw the four tables, the factors first."""
        super().__init__()
        self.user_factors = embedding(n_users, n_factors, generator)
        self.item_factors = embedding(n_items, n_factors, generator)
        self.user_bias = embedding(n_users, 1, generator)
        self.item_bias = embedding(n_items, 1, generator)
        self.y_range = y_range

    def tables(self) -> tuple[list[Tensor], list[Tensor]]:
        """The tables of the users and of the items, for the closed form of the gradient."""
        return (
            [self.user_factors.weight, self.user_bias.weight],
            [self.item_factors.weight, self.item_bias.weight],
        )

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        dot = (self.user_factors(users) * self.item_factors(items)).sum(dim=1)
        score = dot + self.user_bias(users).squeeze(1) + self.item_bias(items).squeeze(1)
        return score if self.y_range is None else sigmoid_range(score, *self.y_range)
