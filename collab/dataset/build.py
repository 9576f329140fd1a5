"""Make a dataset: the lake's ratings as arrays, cut, encoded and grouped, once for all runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collab.base.errors import CollabError
from collab.base.files import commit_folder, write_json
from collab.base.fingerprint import code_digest, fingerprint
from collab.base.paths import DataDir
from collab.dataset.dataset import SCHEMA, Dataset, load_dataset
from collab.dataset.features import item_features, user_features
from collab.dataset.protocols import Protocol, validates
from collab.dataset.vocabulary import UNKNOWN, Vocabulary
from collab.lake import Manifest, load_manifest
from collab.movielens.editions import get_edition

COLUMNS = ("position", "user_id", "movie_id", "rating", "ts")
AT_LEAST = 5

Arrays = dict[str, NDArray[Any]]


def make_dataset(
    lake: Manifest,
    protocol: Protocol,
    data: DataDir,
    *,
    as_of: datetime | None = None,
    force: bool = False,
) -> tuple[Dataset, bool]:
    """The dataset of a protocol; made where it is not committed.

    Args:
        lake: the ratings.
        protocol: which of them validate.
        data: the data folder.
        as_of: only ratings up to this moment, UTC; None: all.
        force: make it again.

    Returns:
        The dataset, and whether it was made now.

    Raises:
        CollabError: too few ratings, or only one item among the training rows.
    """
    key = dataset_key(lake, protocol, as_of)
    folder = data.datasets / f"{lake.edition}-{protocol.folder}-{key[:12]}"
    spec = Spec(lake=lake.path, protocol=protocol, as_of=as_of, key=key)
    made = commit_folder(folder, lambda into: build(into, spec), force=force)
    return load_dataset(folder), made


def dataset_key(lake: Manifest, protocol: Protocol, as_of: datetime | None) -> str:
    """Hex sha256 of all that a dataset depends on; the item key is part of the lake's."""
    return fingerprint(
        data=lake.fingerprint,
        protocol=vars(protocol),
        as_of=as_of.isoformat() if as_of else None,
        code=code_digest("dataset"),
    )


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a dataset is made of."""

    lake: Path
    protocol: Protocol
    as_of: datetime | None
    key: str


def build(folder: Path, spec: Spec) -> None:
    """Fill a folder."""
    lake = load_manifest(spec.lake)
    train, kept = read_ratings(lake, spec.as_of)
    for protocol in spec.protocol.cuts():
        train, held = part(train, protocol, lake, kept)
        kept[held["position"]] = False
    users = Vocabulary.of("user", train["user_id"])
    items = Vocabulary.of("item", train["item_id"])
    refuse_one_item(items, len(train["rating"]))
    facts = {
        **write_rows(folder, train, held, users, items, merged=lake.item_key == "title"),
        **write_features(folder, lake, users, items),
    }
    record = {
        "schema": SCHEMA,
        "key": spec.key,
        "edition": lake.edition,
        "data_fingerprint": lake.fingerprint,
        "archive_sha256": lake.source["sha256"],
        "item_key": lake.item_key,
        "protocol": vars(spec.protocol),
        "as_of": spec.as_of.isoformat() if spec.as_of else None,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "scale": [get_edition(lake.edition).scale.low, get_edition(lake.edition).scale.high],
        "mean": float(train["rating"].mean(dtype=np.float64)),
        **facts,
    }
    write_json(folder / "dataset.json", record)


def read_ratings(lake: Manifest, as_of: datetime | None) -> tuple[Arrays, NDArray[np.bool_]]:
    """The ratings kept, by user and time, with their items; and of all which are kept.

    Raises:
        CollabError: hardly any is that old.
    """
    table = pq.read_table(lake.ratings, columns=list(COLUMNS))
    columns: Arrays = {name: table.column(name).to_numpy() for name in COLUMNS}
    movies = pq.read_table(lake.movies, columns=["movie_id", "item_id"])
    ids = movies.column("movie_id").to_numpy()
    item_of = np.zeros(int(ids.max(initial=0)) + 1, dtype=np.int32)
    item_of[ids] = movies.column("item_id").to_numpy()
    columns["item_id"] = item_of[columns["movie_id"]]
    kept = np.ones(len(table), dtype=np.bool_)
    if as_of is not None:
        recent = columns["ts"] > as_of.timestamp()
        kept[columns["position"][recent]] = False
        columns = {name: column[~recent] for name, column in columns.items()}
        if len(columns["ts"]) < AT_LEAST:
            raise CollabError(
                f"Only {len(columns['ts'])} ratings of {lake.edition} are as old as "
                f"{as_of:%Y-%m-%d %H:%M} UTC; name a later --as-of."
            )
    return columns, kept


def part(
    ratings: Arrays, protocol: Protocol, lake: Manifest, kept: NDArray[np.bool_]
) -> tuple[Arrays, Arrays]:
    """The ratings that train, in their order, and those that validate, in that of the archive.

    kept: (N,) of all ratings of the lake in archive order, whether each is among these.
    """
    by_position = archive_order(ratings["position"])
    valid = np.empty(len(by_position), dtype=np.bool_)
    valid[by_position] = validates(protocol, lake, ratings["ts"][by_position], kept)
    chosen = by_position[valid[by_position]]
    train = {name: column[~valid] for name, column in ratings.items()}
    return train, {name: column[chosen] for name, column in ratings.items()}


def archive_order(position: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of the rows in the order of the archive: a sort without comparisons."""
    place = np.full(int(position.max(initial=-1)) + 1, -1, dtype=np.int64)
    place[position] = np.arange(len(position))
    return place[place >= 0]


def refuse_one_item(items: Vocabulary, n: int) -> None:
    """Stop where nothing could be like anything.

    Raises:
        CollabError: the training rows hold a single item, which has no neighbours.
    """
    if len(items.ids) < 2:
        raise CollabError(
            f"The {n} ratings to train on are all of one item; at least 2 items "
            "are needed to tell which are alike. Use an archive with more."
        )


def write_rows(
    folder: Path,
    train: Arrays,
    held: Arrays,
    users: Vocabulary,
    items: Vocabulary,
    *,
    merged: bool,
) -> dict[str, int]:
    """The arrays of both sets of rows, and what is to be said of them."""
    arrays: Arrays = {"user_ids": users.ids, "item_ids": items.ids}
    for prefix, rows in (("train", train), ("valid", held)):
        arrays[f"{prefix}_users"] = users.encode(rows["user_id"])
        arrays[f"{prefix}_items"] = items.encode(rows["item_id"])
        arrays[f"{prefix}_ratings"] = rows["rating"].astype(np.float32)
        arrays[f"{prefix}_ts"] = rows["ts"]
    for name in ("user_id", "movie_id", "position"):
        arrays[f"valid_{name}"] = held[name].astype(np.int32)
    arrays["user_starts"] = starts(arrays["train_users"], len(users))
    arrays["item_starts"] = starts(arrays["train_items"], len(items))
    arrays["item_order"] = np.argsort(arrays["train_items"], kind="stable").astype(np.int32)
    repeated = find_repeated(train, held) if merged else np.zeros(len(held["ts"]), dtype=np.bool_)
    arrays["valid_repeated"] = repeated
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return {
        "n_train": len(train["rating"]),
        "n_valid": len(held["rating"]),
        "n_users": len(users) - 1,
        "n_items": len(items) - 1,
        "unknown_user_rows": int((arrays["valid_users"] == UNKNOWN).sum()),
        "unknown_item_rows": int((arrays["valid_items"] == UNKNOWN).sum()),
        "repeated_rows": int(repeated.sum()),
    }


def find_repeated(train: Arrays, held: Arrays) -> NDArray[np.bool_]:
    """Which held rows have a user and item that a training row has too, under another movie id."""
    width = 1 + max(int(rows["item_id"].max(initial=0)) for rows in (train, held))
    pairs = [rows["user_id"].astype(np.int64) * width + rows["item_id"] for rows in (train, held)]
    return np.isin(pairs[1], pairs[0])


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
