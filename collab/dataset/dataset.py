"""A committed dataset: its record, and its arrays mapped into memory.

The pages of a mapped file are shared by all processes that map it, and read when they are used: a
child opens 32 million rows in milliseconds.
"""

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from collab.base.files import read_json
from collab.base.records import record_of, require_schema
from collab.dataset.features import Features, as_tensors
from collab.dataset.protocols import Protocol
from collab.dataset.rows import Groups, Rows
from collab.dataset.vocabulary import Vocabulary

log = logging.getLogger(__name__)

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What a dataset holds; `path` is where it stands now.

    key: hex sha256 of all it depends on.
    as_of: ISO 8601, UTC; None: all ratings.
    scale: the lowest and the highest rating there can be.
    mean: of the training ratings.
    n_users, n_items: seen in training.
    unknown_user_rows, unknown_item_rows: validation rows of a user or an item never seen.
    repeated_rows: validation rows whose user rated the same item in training under another id.
    """

    path: Path
    schema: int
    key: str
    edition: str
    data_fingerprint: str
    archive_sha256: str
    item_key: str
    protocol: Protocol
    as_of: str | None
    made_at: str
    scale: tuple[float, float]
    mean: float
    n_train: int
    n_valid: int
    n_users: int
    n_items: int
    unknown_user_rows: int
    unknown_item_rows: int
    repeated_rows: int
    genres: list[str]
    user_levels: dict[str, list[str]]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def array(self, name: str) -> NDArray[Any]:
        """One of the arrays, mapped copy-on-write, which torch takes without a copy."""
        found: NDArray[Any] = np.load(self.path / f"{name}.npy", mmap_mode="c")
        return found

    def tensor(self, name: str) -> torch.Tensor:
        """The same as a tensor."""
        return torch.from_numpy(self.array(name))

    @cached_property
    def users(self) -> Vocabulary:
        """The users seen in training."""
        return Vocabulary("user", self.array("user_ids"))

    @cached_property
    def items(self) -> Vocabulary:
        """The items seen in training."""
        return Vocabulary("item", self.array("item_ids"))

    def train(self) -> Rows:
        """The training rows, by user and time, grouped."""
        return replace(
            self._rows("train"),
            by_user=Groups(self.tensor("user_starts")),
            by_item=Groups(self.tensor("item_starts"), self.tensor("item_order")),
        )

    def valid(self) -> Rows:
        """The validation rows, in archive order."""
        return self._rows("valid")

    def _rows(self, prefix: str) -> Rows:
        return Rows(
            users=self.tensor(f"{prefix}_users"),
            items=self.tensor(f"{prefix}_items"),
            ratings=self.tensor(f"{prefix}_ratings"),
            ts=self.tensor(f"{prefix}_ts"),
        )

    def features(self) -> Features:
        """The side features."""
        names = ["genres", "years", *(f"user_{name}" for name in self.user_levels)]
        return as_tensors({name: self.array(f"feature_{name}") for name in names}, self.genres)


def load_dataset(folder: Path) -> Dataset:
    """Open a committed folder.

    Raises:
        OSError, ValueError, KeyError: it holds no record of this schema.
    """
    values = read_json(folder / "dataset.json")
    require_schema(values, SCHEMA)
    protocol, scale = Protocol.from_json(values["protocol"]), tuple(values["scale"])
    return record_of(Dataset, values, SCHEMA, path=folder, protocol=protocol, scale=scale)
