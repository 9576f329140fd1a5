"""What is published for people whom training has not seen: their prior, and what to ask them."""

import duckdb
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collab.base.database import insert
from collab.dataset.rows import Rows
from collab.estimators.api import HasUncertainty
from collab.estimators.fold_in import FoldsIn, Prior, inputs
from collab.release.interpret import Learnt, Model

STARTERS = 50
USERS, PAIRS = 200, 25  # by which it is measured how sure predictions are: users, items of each
RATED = 300  # of a user are looked at
CANDIDATES = 2000  # the most rated; who is asked does not know the others
ANSWERED = 10  # ratings of a newcomer, where the prior's weight depends on their number


def insert_newcomer(con: duckdb.DuckDBPyConnection, model: Model, by_item: pd.DataFrame) -> None:
    """Fill `newcomer` and `starter_movies`, or neither where the model takes in nobody.

    by_item: `item_id, n_ratings`, most rated first.
    """
    if not isinstance(model.fitted, FoldsIn):
        return
    prior, run_id = model.fitted.prior(), model.run.run_id
    record = {**prior_record(prior), "unsure": unsure(model, prior, bias_variance(con, model))}
    insert(con, "newcomer", pd.DataFrame([{"run_id": run_id, **record}]))
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


def bias_variance(con: duckdb.DuckDBPyConnection, model: Model) -> Tensor:
    """The published variance of the bias of each item, (n_items,), 0 where there is none."""
    found = con.execute("SELECT item_id, coalesce(sd, 0)::DOUBLE AS sd FROM movie_bias").df()
    sd = found.set_index("item_id")["sd"].reindex(model.items.ids).to_numpy(np.float64)
    return torch.tensor(sd).square()


def unsure(model: Model, prior: Prior, of_bias: Tensor) -> float:
    """Variance of a rating that the regression of a user's row does not know of, stars squared.

    It is how much larger the variance is by the model's own account, which knows that the items'
    rows are uncertain too: the mean over some users and items, drawn by their ratings.
    """
    if not isinstance(model.fitted, HasUncertainty):
        return 0.0
    g, x = torch.Generator().manual_seed(0), inputs(model.factors)
    users = torch.randperm(len(model.users.ids), generator=g)[:USERS] + 1
    drawn = torch.randint(len(model.train), (len(users), PAIRS), generator=g)
    items = model.train.items[drawn].long()
    told = torch.stack(
        [
            variance_of(model.train, prior, x, int(user), of)
            for user, of in zip(users, items, strict=True)
        ]
    )
    pairs = users.repeat_interleave(PAIRS), items.flatten()
    nothing = torch.zeros(len(pairs[0]))
    rows = Rows(users=pairs[0], items=pairs[1], ratings=nothing, ts=nothing.long())
    own = model.fitted.spread(rows).double().square()
    return max(0.0, float((own - told.flatten() - of_bias[pairs[1] - 1]).mean()))


def variance_of(train: Rows, prior: Prior, x: Tensor, user: int, items: Tensor) -> Tensor:
    """Variance (n,) of the ratings of items (n,) by the regression of a user, noise included."""
    assert train.by_user
    first, last = train.by_user.starts[user : user + 2].tolist()
    rated, mine = x[train.items[first:last][-RATED:].long()], x[items]
    precision = rated.mT @ rated + prior.penalty(len(rated)) * prior.precision
    reach: Tensor = torch.linalg.solve(precision, mine.mT).mT
    return prior.noise * (1 + (reach * mine).sum(1))


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
