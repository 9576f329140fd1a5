"""Neural nets over concatenated embeddings (fastbook, chapter 8, and fastai's `use_nn=True`)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from collab.estimators.sgd.parts import Tables, embedding, embedding_size, linear, sigmoid_range
from collab.estimators.space import Span


class CollabNN(nn.Module):
    """One hidden layer with ReLU over the two embeddings, whose widths follow the rule."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        n_hidden: Annotated[int, Span(low=32, high=256, log=True)] = 100,
        y_range: tuple[float, float] = (0, 5.5),
        widest: int = 600,
    ) -> None:
        """Draw the tables, none wider than `widest`, and the layers."""
        super().__init__()
        widths = embedding_size(n_users, widest), embedding_size(n_items, widest)
        self.user_factors = embedding(n_users, widths[0], generator)
        self.item_factors = embedding(n_items, widths[1], generator)
        width = sum(widths)
        self.layers = nn.Sequential(
            linear(width, n_hidden, generator), nn.ReLU(), linear(n_hidden, 1, generator)
        )
        self.y_range = y_range

    @staticmethod
    def columns(n: int, *, widest: int = 600, **others: Any) -> int:
        """Of a table of n rows."""
        return embedding_size(n, widest)

    def tables(self) -> Tables:
        """The tables of the users and of the items."""
        return [self.user_factors.weight], [self.item_factors.weight]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        x = torch.cat([self.user_factors(users), self.item_factors(items)], dim=1)
        return sigmoid_range(self.layers(x).squeeze(1), *self.y_range)


class EmbeddingNN(nn.Module):
    """Hidden layers, each linear (no bias), ReLU, batch norm, over the two embeddings."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        layers: Sequence[int] = (100, 50),
        y_range: tuple[float, float] = (0, 5.5),
        widest: int = 600,
    ) -> None:
        """Draw the tables, none wider than `widest`, and the layers."""
        super().__init__()
        widths = embedding_size(n_users, widest), embedding_size(n_items, widest)
        self.user_factors = embedding(n_users, widths[0], generator)
        self.item_factors = embedding(n_items, widths[1], generator)
        width = sum(widths)
        hidden: list[nn.Module] = []
        for n_in, n_out in pairwise([width, *layers]):
            hidden += [linear(n_in, n_out, generator, bias=False), nn.ReLU(), nn.BatchNorm1d(n_out)]
        self.layers = nn.Sequential(*hidden, linear(layers[-1], 1, generator))
        self.y_range = y_range

    @staticmethod
    def columns(n: int, *, widest: int = 600, **others: Any) -> int:
        """Of a table of n rows."""
        return embedding_size(n, widest)

    def tables(self) -> Tables:
        """The tables of the users and of the items."""
        return [self.user_factors.weight], [self.item_factors.weight]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        x = torch.cat([self.user_factors(users), self.item_factors(items)], dim=1)
        return sigmoid_range(self.layers(x).squeeze(1), *self.y_range)
