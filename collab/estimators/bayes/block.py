"""Some ratings of one user beside the user's training ratings, as features."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SCALES = (0, 60, 600, 3600, 86400)  # seconds; 0 is the very same


@dataclass(frozen=True)
class Block:
    """Some ratings of one user (k) beside the training ratings of the user (m), in time's order.

    apart, like (k, m): 0 where it is the same item, and how alike the items are; beyond, known
    (m,): stars beyond the item's mean, and that mean; stamps (m,), ts (k,).
    """

    apart: Array
    like: Array
    beyond: Array
    known: Array
    stamps: Array
    ts: Array

    def columns(self, *, time: bool) -> list[Array]:
        """The features, (k,) each."""
        usual = (self.apart @ self.beyond) / (self.apart.sum(1) + 3)
        found = [weighted(self.like, self.beyond, usual, 1.0), self.like.sum(1)]
        if not time:
            return found
        away = np.abs(self.stamps[None] - self.ts[:, None])
        for scale in SCALES:
            near = np.exp(-away / scale) if scale else (away == 0)
            weight = self.apart * near
            n = weight.sum(1)
            found += [n, (weight @ self.beyond) / (n + 1), (weight @ self.known) / (n + 0.5)]
            if scale >= 3600:
                found.append(weighted(self.like * near, self.beyond, usual, 1.0))
        return found + self.places() + self.nearest(away)

    def place(self) -> tuple[Array, Array]:
        """Where each rating falls among the others (k,), in the middle of equals; and how many."""
        before = (self.apart * (self.stamps[None] < self.ts[:, None])).sum(1)
        equal = (self.apart * (self.stamps[None] == self.ts[:, None])).sum(1)
        return before + equal // 2, self.apart.sum(1)

    def places(self) -> list[Array]:
        """How early in the user's history."""
        place, n = self.place()
        ends = (self.stamps[0], self.stamps[-1]) if len(self.stamps) else (self.ts, self.ts)
        since, until = (self.ts - ends[0]).clip(0), (ends[1] - self.ts).clip(0)
        logs = [np.log1p(value) for value in (place, n - place, since, until)]
        return [*logs, place / np.maximum(n, 1)]

    def nearest(self, away: Array) -> list[Array]:
        """The three ratings before and after, and how far the next ones are."""
        place, n = self.place()
        found = []
        counted = self.apart.cumsum(1)
        for step in (-1, 0, -2, 1, -3, 2):
            wanted = place + step
            there = (wanted >= 0) & (wanted < n)
            if not there.any():
                found += [np.full(len(n), np.nan)] * (3 if step in (-1, 0) else 1)
                continue
            at = (counted > wanted[:, None]).argmax(1)
            values = [self.beyond[at]]
            if step in (-1, 0):
                values += [np.log1p(away[np.arange(len(at)), at]), self.known[at]]
            found += [np.where(there, value, np.nan) for value in values]
        return found


def weighted(weight: Array, values: Array, usual: Array, ridge: float) -> Array:
    """Weighted mean (k,) of the values (m,) beyond what is usual (k,); weight (k, m)."""
    total = weight.sum(1)
    mean: Array = (weight @ values - usual * total) / (total + ridge)
    return mean
