"""The items that the champion expects each user to rate highest, among those not yet rated."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import HasUncertainty
from collab.release.interpret import Learnt, Model
from collab.release.neighbors import best_of_tiles, empty_tile, one_thread_each, tile_starts

RECOMMENDED = 20
NINE_OF_TEN = 1.2816  # standard deviations below which one of ten normal numbers lies
USERS = 512  # scored at once
USERS_AT_ONCE = 16 * USERS  # whose rows are handed on together


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What scores are made of: rows with a last column each, so that biases are in the product.

    users (n_users, k + 1), items (n_items, k + 1).
    seen: the training rows, by user; indices there are one more than rows here.
    """

    users: Tensor
    items: Tensor
    seen: Rows

    @classmethod
    def of(cls, model: Model) -> "Scoring":
        """The scores of a model, less what is the same for all items of a user."""
        return cls(
            users=with_column(model.users, np.ones_like(model.users.bias)),
            items=with_column(model.items, model.items.bias),
            seen=model.train,
        )


def with_column(found: Learnt, column: np.ndarray) -> Tensor:
    """The rows of factors with one more column."""
    return torch.from_numpy(np.column_stack([found.factors, column]))


def recommendations(model: Model) -> Iterator[pd.DataFrame]:
    """The 20 unseen items of the highest score for every user: exact, over all items.

    Yields:
        Some thousand users at a time: `user_id, rank, item_id, prediction`, and `sd, cautious`
        where the model says how sure it is; fewer than 20 rows where fewer items are unseen.
    """
    scoring = Scoring.of(model)
    n, k = len(scoring.users), min(RECOMMENDED, len(scoring.items))
    with one_thread_each() as workers:
        for start in range(0, n, USERS_AT_ONCE):
            blocks = range(start, min(start + USERS_AT_ONCE, n), USERS)
            parts = list(workers.map(partial(best_unseen, scoring, k=k), blocks))
            scores, columns = (torch.cat(found) for found in zip(*parts, strict=True))
            yield with_spread(stars_of(model, start, scores, columns), model)


def best_unseen(scoring: Scoring, start: int, k: int) -> tuple[Tensor, Tensor]:
    """Scores and item rows (b, k) of the k best unseen of users `start` and on; -inf: none left."""
    users = scoring.users[start : start + USERS]
    row, column = seen_pairs(scoring.seen, start, len(users))
    order = column.argsort()
    row, column = row[order], column[order]

    def tiles() -> Iterator[Tensor]:
        for first in tile_starts(len(scoring.items)):
            tile = empty_tile(len(users))
            items = scoring.items[first : first + tile.shape[1]]
            torch.mm(users, items.T, out=tile[:, : len(items)])
            tile[:, len(items) :] = -torch.inf
            here = slice(*torch.searchsorted(column, torch.tensor([first, first + len(items)])))
            tile[row[here], column[here] - first] = -torch.inf
            yield tile

    return best_of_tiles(tiles(), len(users), k)


def seen_pairs(seen: Rows, start: int, n: int) -> tuple[Tensor, Tensor]:
    """User and item of every rating of n users, both as rows: the users' counted from `start`."""
    assert seen.by_user
    starts = seen.by_user.starts[start + 1 : start + n + 2]
    items = seen.items[int(starts[0]) : int(starts[-1])].long() - 1
    return torch.arange(n).repeat_interleave(starts.diff()), items


def stars_of(model: Model, start: int, scores: Tensor, columns: Tensor) -> pd.DataFrame:
    """The table of users `start` and on, from their best scores and item rows (b, k)."""
    unseen = torch.isfinite(scores)
    row, rank = unseen.nonzero(as_tuple=True)
    user, item = row.numpy() + start, columns[unseen].numpy()
    score = scores[unseen] + torch.from_numpy(model.users.bias)[row + start]
    return pd.DataFrame(
        {
            "user_id": model.users.ids[user],
            "rank": rank.numpy().astype(np.uint8) + np.uint8(1),
            "item_id": model.items.ids[item],
            "prediction": model.factors.link(score + model.factors.mean).numpy(),
            "user": user + 1,
            "item": item + 1,
        }
    )


def with_spread(table: pd.DataFrame, model: Model) -> pd.DataFrame:
    """The same with `sd`, and `cautious`, what the rating exceeds nine times of ten, if known.

    `user` and `item`, dense indices, are taken away.
    """
    users, items = (
        torch.from_numpy(table.pop(name).to_numpy(copy=True)) for name in ("user", "item")
    )
    if not isinstance(model.fitted, HasUncertainty):
        return table
    nobody = torch.zeros(len(table))
    rows = Rows(users=users, items=items, ratings=nobody, ts=nobody.long())
    sd = model.fitted.spread(rows).numpy()
    assert model.factors.clip
    cautious = (table["prediction"] - NINE_OF_TEN * sd).clip(*model.factors.clip)
    return table.assign(sd=sd, cautious=cautious)
