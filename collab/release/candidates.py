"""Neighbours by many draws where all pairs of all draws would be too many: candidates first.

The mean cosine of two items over the draws is the inner product of their unit rows laid side by
side. Nearly all of it lies in a few dozen directions, in which a search among all pairs is as cheap
as one of a single draw; what it finds for an item are candidates, and only their cosines are then
taken in every draw.
"""

from functools import partial

import torch
from torch import Tensor

from collab.release.neighbors import nearest_rows, one_thread_each

# For each item, of which 20 are published. Of movies of at least 100 ratings 99 of 100 of these are
# those of all pairs; over all movies, of which many have few ratings and are like many others or
# none, 3 of 4 (als on ml-100k), 19 of 20 (als on a million ratings) or all (bayesian_mf) are.
CANDIDATES, DIRECTIONS = 64, 48
ROWS = 512  # items whose candidates are gathered at once


def candidate_rows(units: Tensor, k: int) -> Tensor:
    """Row numbers (n, k) of the items most like each by the mean of unit rows (S, n, d), about."""
    aside = units.transpose(0, 1).reshape(units.shape[1], -1)
    _, vectors = torch.linalg.eigh((aside.mT @ aside).double())
    leading = vectors[:, -DIRECTIONS:].float()
    _, rows = nearest_rows(aside @ leading, k)
    return rows


def moments_of_candidates(units: Tensor, rows: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """The k of each item's candidates with the highest mean cosine over all draws.

    Args:
        units: (S, n, d), unit rows of each draw.
        rows: (n, c) the candidates.
        k: how many, at most c.

    Returns:
        Row numbers, means and standard deviations of the cosine, (n, k) each. In how many draws
        each is among the k nearest of all is not known: others than candidates may be nearer then.
    """
    with one_thread_each() as workers:
        starts = range(0, len(rows), ROWS)
        parts = list(workers.map(partial(moments_of_rows, units, rows, k), starts))
    chosen, means, sds = (torch.cat(columns) for columns in zip(*parts, strict=True))
    return chosen, means, sds


def moments_of_rows(
    units: Tensor, rows: Tensor, k: int, start: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The same of the items from `start` on."""
    at = rows[start : start + ROWS]
    cosines = torch.stack(
        [torch.einsum("bd,bcd->bc", unit[start : start + ROWS], unit[at]) for unit in units]
    )
    means, best = cosines.mean(0).topk(k, dim=1)
    return at.gather(1, best), means, cosines.std(0).gather(1, best)
