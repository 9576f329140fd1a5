"""Rows for a model: dense indices, ratings and time stamps as tensors."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Groups:
    """Rows grouped by an index: those of index e are `order[starts[e]:starts[e + 1]]`.

    starts: (n + 1,) int64.
    order: (rows,) int32; None where the rows themselves stand in that order.
    """

    starts: Tensor
    order: Tensor | None = None

    @property
    def counts(self) -> Tensor:
        """How many rows each index has, (n,) int64."""
        return self.starts.diff()

    def to(self, device: torch.device) -> "Groups":
        """The same on a device."""
        return Groups(self.starts.to(device), None if self.order is None else self.order.to(device))


@dataclass(frozen=True, kw_only=True)
class Rows:
    """`users` and `items` (n,) dense indices, 0 the unknown; `ratings` (n,) float32; `ts` (n,).

    Indices are int32 at rest and int64 in a batch, where they index. `ts` is seconds since 1970,
    int64. Training rows stand in the order of user, then time, and are grouped both ways.
    """

    users: Tensor
    items: Tensor
    ratings: Tensor
    ts: Tensor
    by_user: Groups | None = None
    by_item: Groups | None = None

    def __len__(self) -> int:
        """How many rows."""
        return len(self.ratings)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.ratings.device

    def to(self, device: torch.device) -> "Rows":
        """The same on a device; on the CPU the tensors stay where they are mapped."""
        return Rows(
            users=self.users.to(device),
            items=self.items.to(device),
            ratings=self.ratings.to(device),
            ts=self.ts.to(device),
            by_user=self.by_user and self.by_user.to(device),
            by_item=self.by_item and self.by_item.to(device),
        )

    def take(self, at: Tensor | slice) -> "Rows":
        """The rows at some places (m,), indices as int64; they are not grouped."""
        return Rows(
            users=self.users[at].long(),
            items=self.items[at].long(),
            ratings=self.ratings[at],
            ts=self.ts[at],
        )


def grouped(rows: Rows, n_users: int, n_items: int) -> Rows:
    """The rows in the order of user, then time, and grouped by user and by item.

    For rows that no dataset holds, such as those of an inner split.
    """
    first = torch.argsort(rows.ts, stable=True)
    at = first[torch.argsort(rows.users[first], stable=True)]
    users, items = rows.users[at].int(), rows.items[at].int()
    order = torch.argsort(items, stable=True).int()
    return replace(
        rows,
        users=users,
        items=items,
        ratings=rows.ratings[at],
        ts=rows.ts[at],
        by_user=Groups(starts_of(users, n_users)),
        by_item=Groups(starts_of(items, n_items), order),
    )


def starts_of(indices: Tensor, n: int) -> Tensor:
    """Where the rows of each index begin once sorted, and where the last end: (n + 1,) int64."""
    counts = torch.bincount(indices, minlength=n)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])
