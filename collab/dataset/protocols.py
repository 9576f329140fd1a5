"""Protocols: which ratings train and which validate."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from collab.base.database import open_database, read_parquet
from collab.base.errors import CollabError, unknown_name
from collab.lake import Manifest

FOLDS = ("u1", "u2", "u3", "u4", "u5")
ARCHIVE_ONLY = ("ua", "ub")
NAMES = ("random", *FOLDS, *ARCHIVE_ONLY, "temporal", "all")
MAX_SEED = 2**63 - 1

Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Which ratings validate; all others train.

    name: `random` (a seeded part of all), `u1` to `u5`, `ua`, `ub` (the archive's own folds; on an
        edition without them u1 to u5 are the fifths of a seeded permutation), `temporal` (the last
        part by time), `all` (none validates: for the release).
    split_seed: of the permutation; 0 to 2**63 - 1.
    share: the part that validates, of `random` and `temporal`.
    inner: which cut of the training rows alone, from 1: the rows that would validate are left out
        and those that would train are cut once more, by a permutation of that seed; by `temporal`
        by time, `inner` times. 0: none.
    """

    name: str = "random"
    split_seed: int = 42
    share: float = 0.2
    inner: int = 0

    def __post_init__(self) -> None:
        """Refuse what cuts nothing.

        Raises:
            CollabError: an unknown name, or a seed that no generator takes.
        """
        if self.name not in NAMES:
            raise unknown_name("protocol", self.name, list(NAMES))
        require_seed("split seed", self.split_seed)
        require_seed("inner split", self.inner)

    @classmethod
    def from_json(cls, values: Any) -> "Protocol":
        """The protocol of a record.

        Raises:
            ValueError: this version has no such protocol.
        """
        try:
            return cls(**values)
        except (TypeError, CollabError) as error:
            raise ValueError(f"the protocol {values} is not known: {error}") from error

    @property
    def label(self) -> str:
        """For people: `random 20%, seed 42`, `u1`, `temporal, last 20%`, `all`."""
        part = f"{100 * self.share:g}%"
        long = {
            "random": f"random {part}, seed {self.split_seed}",
            "temporal": f"temporal, last {part}",
        }
        within = f", inner {self.inner}" if self.inner else ""
        return long.get(self.name, self.name) + within

    @property
    def folder(self) -> str:
        """For the names of folders: `random-42`, `u1`, `temporal-inner1`."""
        seeded = f"random-{self.split_seed}" if self.name == "random" else self.name
        return f"{seeded}-inner{self.inner}" if self.inner else seeded

    def cuts(self) -> "list[Protocol]":
        """The cuts one after another, each of what trains by those before it.

        The last one's rows validate; those of the others are left out.
        """
        outer = replace(self, inner=0)
        if not self.inner:
            return [outer]
        if self.name == "temporal":
            return [outer] * (1 + self.inner)
        return [outer, Protocol(split_seed=self.inner, share=self.share)]

    def others(self) -> "list[Protocol]":
        """Two more cuts of the same kind, to see whether what holds here holds there."""
        if self.name == "random":
            seeds = [seed for seed in (42, 1, 2) if seed != self.split_seed][-2:]
            return [Protocol(split_seed=seed, share=self.share) for seed in seeds]
        if self.name in FOLDS:
            at = FOLDS.index(self.name)
            names = [FOLDS[(at + step) % len(FOLDS)] for step in (1, 2)]
            return [Protocol(name=name, split_seed=self.split_seed) for name in names]
        return []


def require_seed(what: str, seed: int) -> None:
    """Refuse a seed that does not fit a generator.

    Raises:
        CollabError: it is negative or above 2**63 - 1.
    """
    if not 0 <= seed <= MAX_SEED:
        raise CollabError(f"The {what} is {seed}, expected a number from 0 to {MAX_SEED}.")


def validates(protocol: Protocol, lake: Manifest, ts: NDArray[np.int64], at: Bools) -> Bools:
    """Which of the ratings in archive order validate, (n,).

    Args:
        protocol: the rule.
        lake: where the archive's folds are.
        ts: time stamps (n,) of the ratings kept, in archive order.
        at: (N,) of all ratings of the lake in archive order, whether each is kept.

    Raises:
        CollabError: there are too few ratings, or the archive holds no such fold.
    """
    if protocol.name == "all":
        return np.zeros(len(ts), dtype=np.bool_)
    if protocol.name == "random":
        return permuted(protocol, len(ts), 0, cut(len(ts), protocol.share))
    if protocol.name == "temporal":
        return latest(ts, protocol.share)
    if lake.folds.exists():
        return of_archive(lake.folds, protocol.name, len(at))[at]
    if protocol.name in ARCHIVE_ONLY or lake.edition == "ml-100k":
        raise CollabError(
            f"The archive of {lake.edition} holds no fold {protocol.name}. The folds stand in "
            "GroupLens's own ml-100k.zip: pass that with --archive, or use --protocol random."
        )
    return permuted(protocol, len(ts), *fifth(len(ts), FOLDS.index(protocol.name)))


def permuted(protocol: Protocol, n: int, start: int, end: int) -> Bools:
    """Rows `start` to `end` of a seeded permutation of n.

    From 0 to `int(share * n)` it is fastai's `RandomSplitter`: the same seed gives the same rows.
    """
    generator = torch.Generator().manual_seed(protocol.split_seed)
    order = torch.randperm(n, generator=generator)
    valid = np.zeros(n, dtype=np.bool_)
    valid[order[start:end].numpy()] = True
    return valid


def fifth(n: int, part: int) -> tuple[int, int]:
    """Where one of five parts of n rows begins and ends; every row is in one of them.

    Raises:
        CollabError: one would be empty.
    """
    cut(n, 1 / len(FOLDS))
    return part * n // len(FOLDS), (part + 1) * n // len(FOLDS)


def latest(ts: NDArray[np.int64], share: float) -> Bools:
    """The last `int(share * n)` by time; those of one second as they stand in the archive."""
    size = cut(len(ts), share)
    valid = np.zeros(len(ts), dtype=np.bool_)
    valid[np.argsort(ts, kind="stable")[len(ts) - size :]] = True
    return valid


def cut(n: int, share: float) -> int:
    """How many of n rows validate.

    Raises:
        CollabError: none would.
    """
    size = int(share * n)
    if not size:
        raise CollabError(
            f"There are {n} ratings; at least {math.ceil(1 / share)} are needed to set some "
            "apart for validation. Use an archive with more."
        )
    return size


def of_archive(folds: Path, name: str, n: int) -> Bools:
    """The rows of a fold's own test file, (n,)."""
    with open_database() as con:
        query = f"SELECT position FROM {read_parquet(folds)} WHERE fold = $fold"  # noqa: S608
        places = con.execute(query, {"fold": name}).fetchnumpy()["position"]
    if not len(places):
        raise CollabError(f"The archive holds no fold {name}; use --protocol random.")
    valid = np.zeros(n, dtype=np.bool_)
    valid[np.asarray(places)] = True
    return valid
