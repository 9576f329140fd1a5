"""What the chapter leaves as homework: ratings as classes, and more columns in the net."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from collab.dataset.rows import Rows
from collab.estimators.api import Context, Range
from collab.estimators.sgd.parts import (
    Tables,
    embedding,
    embedding_size,
    linear,
    sigmoid_range,
    truncated_normal,
)


class RatingClasses(nn.Module):
    """A score for each level of the scale; the expected level under their softmax predicts.

    The score of level l is <p_u, W_l q_i> + b_u,l + c_i,l: the factors are shared, and each level
    weighs them in its own way. Trained by cross entropy.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        levels: Tensor,
        n_factors: int = 50,
    ) -> None:
        """Draw the tables; levels (l,) are the ratings there are, stars."""
        super().__init__()
        self.user_factors = truncated_normal(n_users, n_factors, generator=generator)
        self.item_factors = truncated_normal(n_items, n_factors, generator=generator)
        self.user_bias = truncated_normal(n_users, len(levels), generator=generator)
        self.item_bias = truncated_normal(n_items, len(levels), generator=generator)
        self.weights = linear(n_factors, len(levels), generator, bias=True)
        self.register_buffer("levels", levels.float())

    @staticmethod
    def made_from(train: Rows, context: Context) -> dict[str, Any]:
        """What it is made from besides its sizes: the ratings there are."""
        return {"levels": torch.unique(train.ratings)}

    @staticmethod
    def kept_in(weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """The same from its weights."""
        return {"levels": weights["levels"]}

    @staticmethod
    def columns(n: int, *, n_factors: int = 50, **others: Any) -> int:
        """Of a table of n rows, a bias for each of ten levels included."""
        return n_factors + 10

    def tables(self) -> Tables:
        """The tables of the users and of the items."""
        return [self.user_factors, self.user_bias], [self.item_factors, self.item_bias]

    def scores(self, users: Tensor, items: Tensor) -> Tensor:
        """A score for each level: (B,), (B,) -> (B, l)."""
        products = self.user_factors[users] * self.item_factors[items]
        found: Tensor = self.weights(products) + self.user_bias[users] + self.item_bias[items]
        return found

    def loss(self, users: Tensor, items: Tensor, ratings: Tensor) -> Tensor:
        """Cross entropy of the ratings' levels, ()."""
        levels = self.get_buffer("levels")
        classes = (ratings[:, None] - levels).abs().argmin(dim=1)
        return nn.functional.cross_entropy(self.scores(users, items), classes)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """The expected rating of pairs: (B,), (B,) -> (B,)."""
        chances = self.scores(users, items).softmax(dim=1)
        return chances @ self.get_buffer("levels")


class SideFeaturesNN(nn.Module):
    """Hidden layers over the two embeddings and those of what else is known of user and item.

    A user's columns (age band, gender, occupation, first of the zip code) and an item's release
    year, in fives, have embeddings of their own; genres go through a linear layer.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        *,
        generator: torch.Generator,
        codes: Mapping[str, Tensor],
        genres: Tensor,
        layers: Sequence[int] = (100, 50),
        y_range: Range = (0, 5.5),
    ) -> None:
        """Draw the tables and the layers.

        codes: name -> (n_users,) or (n_items,) codes from 0; names begin with `user_` or `item_`.
        genres: (n_items, g), 0 or 1.
        """
        super().__init__()
        self.user_factors = embedding(n_users, embedding_size(n_users), generator)
        self.item_factors = embedding(n_items, embedding_size(n_items), generator)
        self.genre_layer = linear(max(1, genres.shape[1]), 8, generator)
        self.register_buffer("genres", genres.float())
        self.known = nn.ModuleDict()
        width = embedding_size(n_users) + embedding_size(n_items) + 8
        for name, column in sorted(codes.items()):  # weights do not keep their order
            size = int(column.max()) + 1
            self.register_buffer(f"code_{name}", column.long())
            self.known[name] = embedding(size, embedding_size(size), generator)
            width += embedding_size(size)
        hidden: list[nn.Module] = []
        for n_in, n_out in pairwise([width, *layers]):
            hidden += [linear(n_in, n_out, generator, bias=False), nn.ReLU(), nn.BatchNorm1d(n_out)]
        self.layers = nn.Sequential(*hidden, linear(layers[-1], 1, generator))
        self.y_range = y_range

    @staticmethod
    def made_from(train: Rows, context: Context) -> dict[str, Any]:
        """What it is made from besides its sizes: the side features."""
        features = context.features
        fives = torch.where(features.years > 0, features.years // 5 - 1890 // 5, 0).clamp(min=0)
        codes = {f"user_{name}": column for name, column in features.user_codes.items()}
        genres = (
            features.genres
            if features.genres.shape[1]
            else features.genres.new_zeros(len(features.years), 1)
        )
        return {"codes": {**codes, "item_year": fives}, "genres": genres}

    @staticmethod
    def kept_in(weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """The same from its weights."""
        codes = {k.removeprefix("code_"): v for k, v in weights.items() if k.startswith("code_")}
        return {"codes": codes, "genres": weights["genres"]}

    @staticmethod
    def columns(n: int, **others: Any) -> int:
        """Of a table of n rows."""
        return embedding_size(n)

    def tables(self) -> Tables:
        """The tables of the users and of the items."""
        return [self.user_factors.weight], [self.item_factors.weight]

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs: (B,), (B,) -> (B,)."""
        parts = [self.user_factors(users), self.item_factors(items)]
        for name, table in self.known.items():
            at = users if name.startswith("user_") else items
            parts.append(table(self.get_buffer(f"code_{name}")[at]))
        parts.append(self.genre_layer(self.get_buffer("genres")[items]))
        return sigmoid_range(self.layers(torch.cat(parts, dim=1)).squeeze(1), *self.y_range)
