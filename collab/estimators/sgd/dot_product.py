"""Dot products of user and item factors (fastbook, chapter 8)."""

from typing import Annotated, Any

import torch
from torch import Tensor, nn

from collab.estimators.api import Factors, Range
from collab.estimators.sgd.parts import Tables, normal, sigmoid_range, truncated_normal
from collab.estimators.space import Span


class DotProduct(nn.Module):
    """The dot product of the factors, squashed into `y_range` where one is given."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        n_factors: Annotated[int, Span(low=16, high=100, log=True)] = 50,
        y_range: Range | None = None,
    ) -> None:
        """Draw the tables (n_users, n_factors) and (n_items, n_factors)."""
        super().__init__()
        self.user_factors = truncated_normal(n_users, n_factors, generator=generator)
        self.item_factors = truncated_normal(n_items, n_factors, generator=generator)
        self.y_range = y_range

    @staticmethod
    def columns(n: int, *, n_factors: int = 50, **others: Any) -> int:
        """Of a table of n rows."""
        return n_factors

    def tables(self) -> Tables:
        """The tables of the users and of the items, for the closed form of the gradient."""
        return [self.user_factors], [self.item_factors]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        score = (self.user_factors[users] * self.item_factors[items]).sum(dim=1)
        return score if self.y_range is None else sigmoid_range(score, *self.y_range)


class DotProductBias(nn.Module):
    """The dot product plus a bias for the user and one for the item.

    The chapter builds it three times. As embeddings they are drawn from a normal cut off at two
    deviations, as parameters of one's own from a plain one (`plain`); the book's library draws the
    factors before the biases (`factors_first`) and takes no `y_range` for granted.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        n_factors: Annotated[int, Span(low=16, high=100, log=True)] = 50,
        y_range: Range | None = (0, 5.5),
        plain: bool = False,
        factors_first: bool = False,
    ) -> None:
        """Draw the tables of factors (n, n_factors) and of biases (n,)."""
        super().__init__()
        draw = normal if plain else truncated_normal
        shapes: dict[str, tuple[int, ...]] = {
            "user_factors": (n_users, n_factors),
            "user_bias": (n_users,),
            "item_factors": (n_items, n_factors),
            "item_bias": (n_items,),
        }
        names = sorted(shapes, key=lambda name: factors_first and name.endswith("bias"))
        drawn = {name: draw(*shapes[name], generator=generator) for name in names}
        self.user_factors, self.user_bias = drawn["user_factors"], drawn["user_bias"]
        self.item_factors, self.item_bias = drawn["item_factors"], drawn["item_bias"]
        self.y_range = y_range

    @staticmethod
    def columns(n: int, *, n_factors: int = 50, **others: Any) -> int:
        """Of a table of n rows, the bias included."""
        return n_factors + 1

    def tables(self) -> Tables:
        """The tables of the users and of the items, for the closed form of the gradient."""
        return [self.user_factors, self.user_bias], [self.item_factors, self.item_bias]

    def factors(self) -> Factors:
        """The tables as they are published."""
        kept = {name: value.detach().cpu().clone() for name, value in self.named_parameters()}
        return Factors(
            mean=0.0,
            user_factors=kept["user_factors"],
            item_factors=kept["item_factors"],
            user_bias=kept["user_bias"],
            item_bias=kept["item_bias"],
            y_range=self.y_range,
        )

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        score = (self.user_factors[users] * self.item_factors[items]).sum(dim=1)
        score = score + self.user_bias[users] + self.item_bias[items]
        return score if self.y_range is None else sigmoid_range(score, *self.y_range)
