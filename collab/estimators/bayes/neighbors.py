"""Features of a rating from the training ratings around it, never from its own.

Of the same user: how much other items were liked beyond their means, near in time or in kind. Of
the same item: how much users like this one liked it. Ratings of the same user of the same item are
left out, so that a training row does not see itself; fitted values are not used at all, since those
of a row's neighbours have seen the row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.dataset.features import Features
from collab.dataset.rows import Rows, starts_of
from collab.estimators.bayes.basis import Operator, leading, sparse

Array = NDArray[Any]

SCALES = (0, 60, 600, 3600, 86400)  # seconds; 0 is the very same
FORTNIGHT = 14 * 86400.0
KINDS, DAMPING = 24, 5.0  # columns of the embeddings, and ratings that halve their length squared
PAIRS = 1 << 22  # rows times neighbours at once


@dataclass(frozen=True, kw_only=True)
class Neighbors:
    """Training rows by user and time, and what tells how alike two users or two items are.

    arrays: `users`, `items`, `stars`, `ts` (n,); `user_kind`, `item_kind` (n, k) of unit length;
        `about_user`, `about_item`: what is known of them, a column each.
    """

    arrays: dict[str, Array]

    @classmethod
    def of(cls, train: Rows, side: Features, sizes: tuple[int, int]) -> "Neighbors":
        """From training rows that are grouped."""
        genres = side.genres.float().cpu()
        lengths = genres.sum(1, keepdim=True).clamp(min=1).sqrt()
        user_kind, item_kind = kinds(train, sizes)
        codes = [code.float().cpu() for code in side.user_codes.values()]
        tensors = {
            "users": train.users.cpu(),
            "items": train.items.cpu(),
            "stars": train.ratings.cpu(),
            "ts": train.ts.cpu(),
            "user_kind": unit(user_kind),
            "item_kind": unit(torch.cat([item_kind, 0.5 * genres / lengths], 1)),
            "about_user": torch.stack([torch.arange(sizes[0]) * 0.0, *codes], 1),
            "about_item": torch.cat([side.years.float().cpu()[:, None], genres], 1),
        }
        return cls(arrays={name: tensor.numpy() for name, tensor in tensors.items()})

    def features(self, rows: Rows, *, time: bool) -> Array:
        """Features (n, f) of each rating, float32; those of a rating that is not there are nan."""
        users, items = rows.users.cpu().numpy(), rows.items.cpu().numpy()
        ts = rows.ts.cpu().numpy().astype(np.float64)
        parts = [
            self.of_users(users, items, ts, time=time),
            self.of_items(users, items, ts, time=time),
            self.arrays["about_user"][users],
            self.arrays["about_item"][items],
        ]
        if time:
            parts.append(np.stack([ts / 86400, ts // 3600 % 24, ts // 86400 % 7], 1))
        return np.concatenate(parts, 1).astype(np.float32)

    def of_users(self, users: Array, items: Array, ts: Array, *, time: bool) -> Array:
        """From the user's other ratings."""
        known = self.arrays
        mean, n_items = usual_stars(known["stars"]), len(known["item_kind"])
        means = shrunk(known["items"], known["stars"], n_items, mean, 5.0)
        beyond = known["stars"] - means[known["items"]]
        found: list[tuple[Array, Array]] = []
        for own, at in blocks(known["users"], users, len(known["user_kind"])):
            others = known["items"][own]
            apart = (others[None] != items[at][:, None]).astype(np.float32)
            like = known["item_kind"][items[at]] @ known["item_kind"][others].T
            like = apart * like.clip(0, 1) ** 3
            block = Block(apart, like, beyond[own], means[others] - mean, known["ts"][own], ts[at])
            found.append((at, np.stack(block.columns(time=time), 1)))
        return in_place(found)

    def of_items(self, users: Array, items: Array, ts: Array, *, time: bool) -> Array:
        """From the item's other ratings."""
        known = self.arrays
        order = np.argsort(known["items"], kind="stable")
        raters, stamps = known["users"][order], known["ts"][order]
        n_users = len(known["user_kind"])
        means = shrunk(known["users"], known["stars"], n_users, usual_stars(known["stars"]), 3.0)
        beyond = (known["stars"] - means[known["users"]])[order]
        found: list[tuple[Array, Array]] = []
        for own, at in blocks(known["items"][order], items, len(known["item_kind"])):
            apart = (raters[own][None] != users[at][:, None]).astype(np.float32)
            like = known["user_kind"][users[at]] @ known["user_kind"][raters[own]].T
            like = apart * like.clip(0, 1) ** 2
            usual = (apart @ beyond[own]) / np.maximum(apart.sum(1), 1)
            columns = [weighted(like, beyond[own], usual, 2.0)]
            if time:
                away = np.abs(stamps[own][None] - ts[at][:, None])
                columns.append(weighted(like * np.exp(-away / FORTNIGHT), beyond[own], usual, 1.0))
            found.append((at, np.stack(columns, 1)))
        return in_place(found)


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


def kinds(train: Rows, sizes: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Embeddings of users (n_users, k) and items from who rated what, popularity left out."""
    assert train.by_user is not None
    assert train.by_item is not None
    assert train.by_item.order is not None
    cpu = torch.device("cpu")
    order, train = train.by_item.order.cpu(), train.to(cpu)
    starts = starts_of(train.users, sizes[0]), starts_of(train.items, sizes[1])
    counts = [begin.diff().float()[:, None] for begin in starts]
    scale = [count.clamp(min=1).rsqrt() for count in counts]
    ones = torch.ones(len(train))
    by_user = sparse(starts[0], train.items, ones, sizes[1])
    by_item = sparse(starts[1], train.users.index_select(0, order), ones, sizes[0])
    matrix = Operator(
        *sizes,
        lambda x: scale[0] * (by_user @ (scale[1] * x)),
        lambda y: scale[1] * (by_item @ (scale[0] * y)),
    )
    left, values, right = leading(matrix, KINDS + 1, torch.Generator().manual_seed(0))
    sides = zip((left, right), counts, strict=True)
    found = [side[:, 1:] * values[1:] * (n / (n + DAMPING)).sqrt() for side, n in sides]
    lengths = [side.square().sum(1).mean().clamp(min=1e-12).sqrt() for side in found]
    return found[0] / lengths[0], found[1] / lengths[1]


def unit(rows: Tensor) -> Tensor:
    """Rows of length 1, the nearly empty ones shorter."""
    return rows / (rows.square().sum(1, keepdim=True) + 1e-6).sqrt()


def usual_stars(stars: Array) -> float:
    """The mean to the half star, so that no single rating moves it."""
    return float(np.round(2 * stars.mean()) / 2)


def shrunk(at: Array, stars: Array, n: int, mean: float, ridge: float) -> Array:
    """Mean stars (n,) of each index, as if `ridge` more of the mean had been given."""
    sums = np.bincount(at, stars, n) + ridge * mean
    means: Array = sums / (np.bincount(at, minlength=n) + ridge)
    return means.astype(np.float32)


def weighted(weight: Array, values: Array, usual: Array, ridge: float) -> Array:
    """Weighted mean (k,) of the values (m,) beyond what is usual (k,); weight (k, m)."""
    total = weight.sum(1)
    mean: Array = (weight @ values - usual * total) / (total + ridge)
    return mean


def blocks(known: Array, wanted: Array, n: int) -> Iterator[tuple[slice, Array]]:
    """For each index: where its training rows stand, sorted, and which wanted rows (k,) have it."""
    begin = np.searchsorted(known, np.arange(n + 1))
    order = np.argsort(wanted, kind="stable")
    ends = np.searchsorted(wanted[order], np.arange(n + 1))
    for index in np.unique(wanted):
        own = slice(int(begin[index]), int(begin[index + 1]))
        at = order[ends[index] : ends[index + 1]]
        step = max(1, PAIRS // max(own.stop - own.start, 1))
        for first in range(0, len(at), step):
            yield own, at[first : first + step]


def in_place(found: list[tuple[Array, Array]]) -> Array:
    """Blocks of rows put where they belong."""
    places = np.concatenate([at for at, _ in found])
    values = np.concatenate([value for _, value in found])
    out = np.empty_like(values)
    out[places] = values
    return out
