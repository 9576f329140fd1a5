"""Make a dataset: the lake's ratings as arrays, cut, encoded and grouped, once for all runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from collab.base.errors import CollabError
from collab.base.files import commit_folder, write_json
from collab.base.fingerprint import code_digest, fingerprint
from collab.base.paths import DataDir
from collab.dataset.arrays import (
    Cut,
    read_column,
    read_items,
    write_entity,
    write_features,
    write_rows,
)
from collab.dataset.dataset import SCHEMA, Dataset, load_dataset
from collab.dataset.protocols import Protocol, validates
from collab.dataset.vocabulary import Vocabulary
from collab.lake import Manifest, load_manifest
from collab.movielens.editions import get_edition

AT_LEAST = 5


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
    cut = cut_ratings(lake, spec)
    users = write_entity(folder, "user", read_column(lake, "user_id"), cut)
    items = write_entity(folder, "item", read_items(lake), cut)
    refuse_one_item(items, int(cut.train.sum()))
    facts = {
        **write_rows(folder, lake, cut),
        **write_features(folder, lake, users, items),
        "n_users": len(users) - 1,
        "n_items": len(items) - 1,
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
        **facts,
    }
    write_json(folder / "dataset.json", record)


def cut_ratings(lake: Manifest, spec: Spec) -> Cut:
    """The ratings kept, in two; what an earlier cut than the last holds out is in neither.

    Raises:
        CollabError: hardly any is as old as asked.
    """
    ts = read_column(lake, "ts")
    train = np.ones(len(ts), dtype=np.bool_)
    if spec.as_of is not None:
        train = ts <= spec.as_of.timestamp()
        if train.sum() < AT_LEAST:
            raise CollabError(
                f"Only {train.sum()} ratings of {lake.edition} are as old as "
                f"{spec.as_of:%Y-%m-%d %H:%M} UTC; name a later --as-of."
            )
    place = np.empty(len(ts), dtype=np.int64)  # of each rating of the archive in the lake
    place[read_column(lake, "position")] = np.arange(len(ts))
    for protocol in spec.protocol.cuts():
        kept = train[place]
        at = place[kept]
        held = at[validates(protocol, lake, ts[at], kept)]
        train[held] = False
    return Cut(train=train, held=held)


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
