"""What draws from the posterior say: how sure a bias is, a neighbour, a component.

Factors of one draw may be rotated against those of another, and a column that hardly any user
cares for counts as much as one that all do. Both fall away where items are measured by what users
make of them: with C the covariance of p over the users of a draw, <q_i, C q_j> is how far the
predictions for two items vary together over all users. What all users agree on is no taste: it is
a part of the items' biases, and how much of it a draw puts there is chance. So an item's row is q L
with L L' = C, the users' metric, and whatever is said of it is averaged over the draws.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.estimators.api import Factors
from collab.release.candidates import candidates_by_mean, moments
from collab.release.interpret import Learnt
from collab.release.neighbors import nearest_rows, pair_cosines
from collab.release.similarity import NEIGHBORS, of_both, ranked

EXTREME = 50  # a bias among so many highest or lowest
NORMAL_95 = 1.96
MULTIPLICATIONS = 5e11  # what the cosines of all pairs in all draws may take: about half a minute
SELECTION = 30  # of a pair, what finding the highest costs, in multiplications


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Draws of a model's tables, the unknown left out.

    units: of each draw the items' rows (n_items, k) in its users' metric, made of length 1.
    lengths: (S, n_items), what they were divided by.
    item_bias, user_bias: (S, n).
    """

    units: tuple[Tensor, ...]
    lengths: Tensor
    item_bias: Tensor
    user_bias: Tensor


def gather(samples: Iterable[Factors]) -> Draws:
    """The draws of a model in the users' metric."""
    drawn = [(*halves(s), s.item_bias[1:].clone(), s.user_bias[1:].clone()) for s in samples]
    units, *others = zip(*drawn, strict=True)
    lengths, item_bias, user_bias = (torch.stack(parts) for parts in others)
    return Draws(units=units, lengths=lengths, item_bias=item_bias, user_bias=user_bias)


def halves(draw: Factors) -> tuple[Tensor, Tensor]:
    """Directions (n_items, k) and lengths (n_items,) of the items' rows in the users' metric."""
    rows = in_users_metric(draw)
    lengths = rows.norm(dim=1)
    return rows.div_(lengths.clamp_min(1e-12)[:, None]), lengths


def in_users_metric(draw: Factors) -> Tensor:
    """Rows q L of the items (n_items, k), with L L' the covariance of the users' factors."""
    users = draw.user_factors[1:].double()
    users = users - users.mean(0)
    metric = users.mT @ users / len(users)
    lift = 1e-9 * metric.diagonal().mean() * torch.eye(len(metric), dtype=metric.dtype)
    half: Tensor = torch.linalg.cholesky(metric + lift)
    return (draw.item_factors[1:].double() @ half).float()


def bias_columns(draws: Tensor, bias: Tensor) -> pd.DataFrame:
    """How sure biases are: `sd, low, high, p_top50, p_bottom50`, a row for each.

    The interval holds 95 %; the last two are the shares of draws in which a bias is among the 50
    highest and lowest. A shift that users' biases make up for is no doubt about any of them, so the
    draws are set to one mean first.

    Args:
        draws: (S, n).
        bias: the published ones (n,), in the middle of their intervals.
    """
    n_draws, n = draws.shape
    sd = (draws - draws.mean(1, keepdim=True)).std(0)
    shares = {}
    for name, largest in (("p_top50", True), ("p_bottom50", False)):
        at = draws.topk(min(EXTREME, n), dim=1, largest=largest).indices
        shares[name] = torch.bincount(at.reshape(-1), minlength=n) / n_draws
    columns = {"sd": sd, "low": bias - NORMAL_95 * sd, "high": bias + NORMAL_95 * sd, **shares}
    return pd.DataFrame({name: column.numpy() for name, column in columns.items()})


def posterior_similarity(
    draws: Draws, found: Learnt, popular: Tensor | None = None, k: int = NEIGHBORS
) -> pd.DataFrame:
    """The most similar of every item by the mean of the cosine in the users' metric.

    Exact over all draws: the mean of cosines is the inner product of the draws' unit rows laid side
    by side. Of large editions the same for the candidates of each item, see `candidates`.

    Args:
        draws: of the model that made them.
        found: the items.
        popular: (n,) which of them are; all by default.
        k: how many.

    Returns:
        As `ranked` does, with `similarity`, `sd`, `share`, `share_popular`, `cosine`: mean and
        standard deviation of the cosine over the draws, the shares of draws in which the neighbour
        is among the k nearest of all and of the popular (of a large edition not known, NaN), and
        the plain cosine of the published factors.
    """
    units = draws.units
    n, width = units[0].shape
    every = len(units) * n**2 * (width + SELECTION) <= MULTIPLICATIONS
    rows = of_both(popular, nearest_by_mean(units, k) if every else candidates_by_mean(units))
    means, sds = moments(units, rows)
    plain = torch.nn.functional.normalize(torch.from_numpy(found.factors), dim=1)
    columns = {
        "similarity": means.clamp(-1, 1),
        "sd": sds,
        "share": shares(units, rows, k, None) if every else torch.full_like(means, torch.nan),
        "cosine": pair_cosines(plain, rows).clamp(-1, 1),
    }
    columns["share_popular"] = columns["share"]
    if every and popular is not None:
        columns["share_popular"] = shares(units, rows, k, popular.nonzero()[:, 0])
    return ranked(found, popular, rows, columns, k)


def nearest_by_mean(units: Sequence[Tensor], k: int) -> Callable[[Tensor | None], Tensor]:
    """A search for the k nearest of each item by the mean cosine of unit rows (n, d), exact."""
    aside = torch.cat(list(units), dim=1)
    return lambda among: nearest_rows(aside, k, among)[1]


def shares(units: Sequence[Tensor], rows: Tensor, k: int, among: Tensor | None) -> Tensor:
    """In which part of the draws, each (n, d), each of the rows (n, c) is of an item's k nearest.

    among: (m,) the items that count; None: all.
    """
    found = torch.zeros(rows.shape)
    for unit in units:
        _, nearest = nearest_rows(unit, k, among)
        found += (rows[:, :, None] == nearest[:, None, :]).any(2)
    return found / len(units)


def posterior_components(
    draws: Draws, at: NDArray[np.int64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Principal components of some items from all draws at once.

    The inner products of rows do not change when a draw is rotated, so their mean over the draws
    needs no alignment; its leading eigenvectors are the components. A component points to where it
    is skewed, which is the same for every seed.

    Returns:
        Scores (m, n) and the share of the variance that each explains (n,).
    """
    chosen = torch.tensor(at)
    of_all = zip(draws.units, draws.lengths, strict=True)
    rows = [(unit[chosen] * length[chosen, None]).double() for unit, length in of_all]
    aside = torch.cat(rows, dim=1) / len(rows) ** 0.5
    left, values, _ = torch.linalg.svd(aside - aside.mean(0), full_matrices=False)
    scores = (left * values)[:, :n]
    sign = scores.pow(3).sum(0).sign()
    sign[sign == 0] = 1
    shares = values.square() / values.square().sum()
    return (scores * sign).numpy(), shares[:n].numpy()
