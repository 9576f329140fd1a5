"""Neighbours by many draws where all pairs of all draws would be too many: candidates first.

The mean cosine of two items over the draws is the inner product of their unit rows laid side by
side. Nearly all of it lies in a few dozen directions, in which a search among all pairs is as cheap
as one of a single draw; what it finds for an item are candidates, and only their cosines are then
taken in every draw.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from collab.release.neighbors import nearest_rows, one_thread_each

# For each item, of which 20 are published. Of movies of at least 100 ratings 99 of 100 of these are
# those of all pairs; over all movies, of which many have few ratings and are like many others or
# none, 3 of 4 (als on ml-100k), 19 of 20 (als on a million ratings) or all (bayesian_mf) are.
CANDIDATES, DIRECTIONS = 64, 48
ROWS = 512  # items whose candidates are gathered at once
TOGETHER = 4096  # items whose rows of all draws are laid side by side at once


def candidates_by_mean(
    units: Sequence[Tensor], k: int | None = None
) -> Callable[[Tensor | None], Tensor]:
    """A search for the k items most like each by the mean of unit rows, each (n, d), about.

    Of candidates it is not known in how many draws they are among the nearest: others may be nearer
    then.
    """
    leading = leading_directions(units, DIRECTIONS)
    return lambda among: nearest_rows(leading, k or CANDIDATES, among)[1]


def leading_directions(units: Sequence[Tensor], n: int) -> Tensor:
    """Rows of which the inner products are nearly those of all draws' rows laid side by side.

    Args:
        units: of each draw (n_items, d).
        n: how many columns.
    """
    products = sum(block.mT @ block for block in side_by_side(units))
    assert isinstance(products, Tensor)
    _, vectors = torch.linalg.eigh(products.double())
    leading = vectors[:, -n:].float()
    return torch.cat([block @ leading for block in side_by_side(units)])


def side_by_side(units: Sequence[Tensor]) -> Iterator[Tensor]:
    """Some thousand items' rows of all draws beside each other; of all they would fill a GiB."""
    for parts in zip(*(torch.split(unit, TOGETHER) for unit in units), strict=True):
        yield torch.cat(parts, dim=1)


def moments(units: Sequence[Tensor], rows: Tensor) -> tuple[Tensor, Tensor]:
    """Means and standard deviations of cosines over the draws, (n, c) each.

    Args:
        units: of each draw unit rows (n, d).
        rows: (n, c) the numbers of the others.
    """
    with one_thread_each() as workers:
        starts = range(0, len(rows), ROWS)
        parts = list(workers.map(partial(moments_of_rows, units, rows), starts))
    means, sds = (torch.cat(columns) for columns in zip(*parts, strict=True))
    return means, sds


def moments_of_rows(units: Sequence[Tensor], rows: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """The same of the items from `start` on."""
    at = rows[start : start + ROWS]
    cosines = torch.stack(
        [torch.einsum("bd,bcd->bc", unit[start : start + ROWS], unit[at]) for unit in units]
    )
    return cosines.mean(0), cosines.std(0)
