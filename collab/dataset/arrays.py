"""The arrays of a dataset, written one by one: a few columns at a time are in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collab.dataset.features import item_features, user_features
from collab.dataset.vocabulary import UNKNOWN, Vocabulary
from collab.lake import Manifest


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which rows of the lake train (N,), and the places (m,) of those that validate.

    Those that train stand as in the lake, by user and time; the others as in the archive.
    """

    train: NDArray[np.bool_]
    held: NDArray[np.int64]


def read_column(lake: Manifest, name: str) -> NDArray[Any]:
    """A column of the ratings, (N,)."""
    column: NDArray[Any] = pq.read_table(lake.ratings, columns=[name]).column(0).to_numpy()
    return column


def read_items(lake: Manifest) -> NDArray[np.int32]:
    """The items of the ratings, (N,)."""
    movies = pq.read_table(lake.movies, columns=["movie_id", "item_id"])
    ids = movies.column("movie_id").to_numpy()
    item_of = np.zeros(int(ids.max(initial=0)) + 1, dtype=np.int32)
    item_of[ids] = movies.column("item_id").to_numpy()
    items: NDArray[np.int32] = item_of[read_column(lake, "movie_id")]
    return items


def write_entity(folder: Path, entity: str, ids: NDArray[np.int32], cut: Cut) -> Vocabulary:
    """The arrays of the users or of the items of both sets of rows, encoded and grouped.

    Args:
        folder: where to write.
        entity: `user` or `item`.
        ids: of all ratings (N,).
        cut: which train and which validate.
    """
    train = ids[cut.train]
    known = Vocabulary.of(entity, train)
    indices = known.encode(train)
    np.save(folder / f"{entity}_ids.npy", known.ids)
    np.save(folder / f"train_{entity}s.npy", indices)
    np.save(folder / f"valid_{entity}s.npy", known.encode(ids[cut.held]))
    np.save(folder / f"{entity}_starts.npy", starts(indices, len(known)))
    if entity == "item":  # the rows stand by user already
        np.save(folder / "item_order.npy", sorting(indices).astype(np.int32))
    return known


def sorting(indices: NDArray[np.int32]) -> NDArray[np.int64]:
    """The stable order of indices (n,) that are not negative, (n,).

    By their low and then their high 16 bits: numpy sorts short numbers without comparing them.
    """
    low = np.argsort(indices.astype(np.uint16), kind="stable")
    high = (indices >> 16).astype(np.uint16)
    return low[np.argsort(high[low], kind="stable")] if high.any() else low


def write_rows(folder: Path, lake: Manifest, cut: Cut) -> dict[str, Any]:
    """The other arrays of both sets of rows, and what is to be said of them."""
    for name in ("user_id", "movie_id", "position"):
        np.save(folder / f"valid_{name}.npy", read_column(lake, name)[cut.held].astype(np.int32))
    for name, file in (("rating", "ratings"), ("ts", "ts")):
        column = read_column(lake, name)
        np.save(folder / f"train_{file}.npy", column[cut.train])
        np.save(folder / f"valid_{file}.npy", column[cut.held])
    repeated = np.zeros(len(cut.held), dtype=np.bool_)
    if lake.item_key == "title":
        repeated = find_repeated(folder)
    np.save(folder / "valid_repeated.npy", repeated)
    ratings = np.load(folder / "train_ratings.npy", mmap_mode="r")
    return {
        "mean": float(ratings.mean(dtype=np.float64)),
        "n_train": len(ratings),
        "n_valid": len(cut.held),
        "unknown_user_rows": count_unknown(folder, "users"),
        "unknown_item_rows": count_unknown(folder, "items"),
        "repeated_rows": int(repeated.sum()),
    }


def count_unknown(folder: Path, name: str) -> int:
    """How many validation rows have a user or an item that no training row has."""
    return int((np.load(folder / f"valid_{name}.npy") == UNKNOWN).sum())


def find_repeated(folder: Path) -> NDArray[np.bool_]:
    """Which held rows have a user and item that a training row has too, under another movie id."""
    width = len(np.load(folder / "item_ids.npy", mmap_mode="r")) + 1
    train, held = (
        np.load(folder / f"{rows}_users.npy").astype(np.int64) * width
        + np.load(folder / f"{rows}_items.npy")
        for rows in ("train", "valid")
    )
    return np.isin(held, train)  # the unknown, 0, are in no training row


def starts(indices: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    """Where the rows of each index begin once sorted, and where the last end: (n + 1,)."""
    ends = np.cumsum(np.bincount(indices, minlength=n))
    return np.concatenate([[0], ends]).astype(np.int64)


def write_features(
    folder: Path, lake: Manifest, users: Vocabulary, items: Vocabulary
) -> dict[str, Any]:
    """The arrays of the side features, and their names."""
    of_items, genres = item_features(lake, items)
    of_users, levels = user_features(lake, users)
    arrays = {**of_items, **{f"user_{name}": array for name, array in of_users.items()}}
    for name, array in arrays.items():
        np.save(folder / f"feature_{name}.npy", array)
    return {"genres": genres, "user_levels": levels}
