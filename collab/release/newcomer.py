"""What is published for people whom training has not seen: their prior, and what to ask them."""

import duckdb
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collab.base.database import insert
from collab.estimators.fold_in import FoldsIn, Prior
from collab.release.interpret import Learnt, Model

STARTERS = 50
CANDIDATES = 2000  # the most rated; who is asked does not know the others
ANSWERED = 10  # ratings of a newcomer, where the prior's weight depends on their number


def insert_newcomer(con: duckdb.DuckDBPyConnection, model: Model, by_item: pd.DataFrame) -> None:
    """Fill `newcomer` and `starter_movies`, or neither where the model takes in nobody.

    by_item: `item_id, n_ratings`, most rated first.
    """
    if not isinstance(model.fitted, FoldsIn):
        return
    prior, run_id = model.fitted.prior(), model.run.run_id
    insert(con, "newcomer", pd.DataFrame([{"run_id": run_id, **prior_record(prior)}]))
    counts = by_item.set_index("item_id")["n_ratings"].reindex(model.items.ids).to_numpy(np.float64)
    found = starter_movies(model.items, counts, len(model.users.ids), prior)
    insert(con, "starter_movies", found.assign(run_id=run_id))


def prior_record(prior: Prior) -> dict[str, object]:
    """The row of `newcomer`."""
    return {
        "prior_mean": prior.mean.tolist(),
        "prior_precision": prior.precision.tolist(),
        "prior_covariance": torch.linalg.inv(prior.precision).tolist(),
        "noise": prior.noise,
        "ridge": prior.ridge,
        "ridge_share": prior.share,
        "ridge_power": prior.power,
    }


def starter_movies(
    items: Learnt, counts: np.ndarray, n_users: int, prior: Prior, k: int = STARTERS
) -> pd.DataFrame:
    """The k movies to ask a newcomer about, chosen one after the other.

    With C the covariance of the newcomer's row and T the mean of x x' over all ratings that people
    gave, x an item's (factors, 1), the score of what they rate has the mean variance tr(C T). A
    rating of x takes C x x' C / (1 + x' C x) from C (in units of the noise); it is given with the
    chance that x is known, which is taken to be the share of users who rated it. Chosen is what
    makes tr(C T) least (an A-optimal design).

    Args:
        items: what the model learnt of them.
        counts: ratings of each (n_items,).
        n_users: how many there are.
        prior: of a newcomer's row.
        k: how many, at most the number of items.

    Returns:
        `rank, item_id, known, variance_left`.
    """
    x = torch.from_numpy(np.column_stack([items.factors, np.ones_like(items.bias)])).double()
    weight = torch.from_numpy(counts)
    asked_for = (x.mT * weight) @ x / weight.sum()
    chosen = weight.argsort(descending=True, stable=True)[:CANDIDATES]
    known, x = (weight[chosen] / n_users).clamp(max=1), x[chosen]
    covariance = torch.linalg.inv(prior.precision) / prior.penalty(ANSWERED)
    before = trace(covariance, asked_for)
    free, rows = torch.ones(len(chosen), dtype=torch.bool), []
    for rank in range(1, min(k, len(chosen)) + 1):
        reach = x @ covariance
        told = known / (1 + (reach * x).sum(1))  # of the square of what a rating reaches
        gain = told * ((reach @ asked_for) * reach).sum(1)
        best = int(gain.masked_fill(~free, -1).argmax())
        covariance = covariance - told[best] * torch.outer(reach[best], reach[best])
        free[best] = False
        left = trace(covariance, asked_for) / before
        rows.append((rank, items.ids[int(chosen[best])], float(known[best]), left))
    return pd.DataFrame(rows, columns=["rank", "item_id", "known", "variance_left"])


def trace(covariance: Tensor, asked_for: Tensor) -> float:
    """The mean variance of the score of what people rate."""
    return float((covariance * asked_for).sum())
