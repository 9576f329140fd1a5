"""The items that the champion expects each user to rate highest, among those not yet rated."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import HasUncertainty
from collab.release.interpret import Learnt, Model

RECOMMENDED = 20
NINE_OF_TEN = 1.2816  # standard deviations below which one of ten normal numbers lies
USERS = 1024  # at once


def recommendation_table(model: Model, seen: pd.DataFrame) -> pd.DataFrame:
    """The 20 unseen items of the highest score for every user: exact, over all items.

    Args:
        model: users and items, and how a score becomes stars.
        seen: `user_id, item_id` of every rating.

    Returns:
        `user_id, rank, item_id, prediction`, and `sd, cautious` where the model says how sure it
        is; fewer than 20 rows where fewer items are unseen.
    """
    users, items = model.users, model.items
    k = min(RECOMMENDED, len(items.ids))
    parts = [torch.topk(scores, k, dim=1) for scores in masked_scores(users, items, seen)]
    scores, columns = (torch.cat(found).reshape(-1) for found in zip(*parts, strict=True))
    unseen = torch.isfinite(scores).numpy()
    table = pd.DataFrame(
        {
            "user_id": np.repeat(users.ids, k),
            "rank": np.tile(np.arange(1, k + 1, dtype=np.uint8), len(users.ids)),
            "item_id": items.ids[columns.numpy()],
            "prediction": model.factors.link(scores + model.factors.mean).numpy(),
        }
    )
    return with_spread(table[unseen], model)


def with_spread(table: pd.DataFrame, model: Model) -> pd.DataFrame:
    """The same with `sd`, and `cautious`, what the rating exceeds nine times of ten, if known."""
    if not isinstance(model.fitted, HasUncertainty):
        return table
    users = torch.from_numpy(pd.Index(model.users.ids).get_indexer(pd.Index(table["user_id"])) + 1)
    items = torch.from_numpy(pd.Index(model.items.ids).get_indexer(pd.Index(table["item_id"])) + 1)
    nobody = torch.zeros(len(table))
    rows = Rows(users=users, items=items, ratings=nobody, ts=nobody.long())
    sd = model.fitted.spread(rows).numpy()
    return table.assign(sd=sd, cautious=table["prediction"] - NINE_OF_TEN * sd)


def masked_scores(users: Learnt, items: Learnt, seen: pd.DataFrame) -> Iterator[Tensor]:
    """Scores without their mean, (b, n_items) for so many users at once; -inf where seen."""
    row = pd.Index(users.ids).get_indexer(pd.Index(seen["user_id"]))
    column = pd.Index(items.ids).get_indexer(pd.Index(seen["item_id"]))
    known = (row >= 0) & (column >= 0)
    row, column = row[known], column[known]
    item_factors = torch.from_numpy(items.factors).T
    item_bias = torch.from_numpy(items.bias)
    for start in range(0, len(users.ids), USERS):
        part = slice(start, start + USERS)
        scores = torch.from_numpy(users.factors[part]) @ item_factors
        scores += item_bias + torch.from_numpy(users.bias[part])[:, None]
        here = (row >= start) & (row < start + USERS)
        scores[row[here] - start, column[here]] = -torch.inf
        yield scores
