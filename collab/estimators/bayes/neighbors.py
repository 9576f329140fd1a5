"""Features of a rating from the training ratings around it, never from its own.

Of the same user: how much other items were liked beyond their means, near in time or in kind. Of
the same item: how much users like this one liked it. Ratings of the same user of the same item are
left out, so that a training row does not see itself; fitted values are not used at all, since those
of a row's neighbours have seen the row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from collab.dataset.features import Features
from collab.dataset.rows import Rows, starts_of
from collab.estimators.bayes.basis import Operator, leading, sparse
from collab.estimators.bayes.block import Array, Block, weighted

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
