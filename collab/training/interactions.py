"""Ratings as arrays of ids, and as tensors of dense indices on a device."""

from dataclasses import dataclass

import duckdb
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.lake import Manifest
from collab.training.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """All ratings of an edition in archive order, with ids: arrays (n,).

    `item_id` is what the models know as an item: several movie ids may share one.
    """

    user_id: NDArray[np.int64]
    movie_id: NDArray[np.int64]
    item_id: NDArray[np.int64]
    rating: NDArray[np.float32]

    def __len__(self) -> int:
        """How many ratings."""
        return len(self.rating)


def load_ratings(lake: Manifest) -> Ratings:
    """Ratings joined to their items, as in the book, in archive order."""
    with duckdb.connect() as con:
        columns = con.execute(
            "SELECT user_id::BIGINT AS user_id, movie_id::BIGINT AS movie_id, "
            "item_id::BIGINT AS item_id, rating "
            "FROM read_parquet($ratings) AS r JOIN read_parquet($movies) AS m USING (movie_id) "
            "ORDER BY position",
            {"ratings": str(lake.ratings), "movies": str(lake.movies)},
        ).fetchnumpy()
    names = ("user_id", "movie_id", "item_id", "rating")
    return Ratings(**{name: np.ascontiguousarray(columns[name]) for name in names})


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Rows for a model: `users` and `items` (n,) dense indices, `ratings` (n,) float32.

    Indices are int32 at rest and int64 in a batch, where they index.
    """

    users: Tensor
    items: Tensor
    ratings: Tensor

    def __len__(self) -> int:
        """How many rows."""
        return len(self.ratings)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.ratings.device

    def take(self, at: Tensor) -> "Interactions":
        """The rows at some places (m,), indices as int64."""
        return Interactions(
            users=self.users[at].long(), items=self.items[at].long(), ratings=self.ratings[at]
        )


def encode(
    ratings: Ratings, rows: Tensor, users: Vocabulary, items: Vocabulary, device: torch.device
) -> Interactions:
    """Some rows of the ratings as dense indices on a device."""
    at = rows.numpy()
    return Interactions(
        users=torch.from_numpy(users.encode(ratings.user_id[at])).to(device),
        items=torch.from_numpy(items.encode(ratings.item_id[at])).to(device),
        ratings=torch.from_numpy(ratings.rating[at]).to(device),
    )
