"""One side in alternating least squares: the products that its ridge regressions are solved from.

The other side stands in a table of inputs whose last column is what its rows leave of a rating. One
matrix product of the gathered rows with themselves then gives X'X, X'y and y'y of a row at once, on
as many columns as the processor likes. Entities of about as many ratings go together, padded to the
longest; long rows are added up in pieces, so that what is gathered stays in a cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from collab.dataset.rows import Groups, Rows

NUMBERS_AT_ONCE = {"cpu": 1 << 20, "cuda": 1 << 24}  # gathered at once: what stays in a cache
FULL = 0.75  # of a padded batch at least this part is rows
LANES = 8  # columns come in so many: a vector of float32


def inputs_of(rows: Tensor, mean: float) -> Tensor:
    """Rows (n, k) of factors and a bias as inputs (n + 1, w): factors, 1, zeros, -bias - mean.

    A rating added to the last column makes it what is left of the rating; w is the next multiple
    of `LANES`. The last row is zeros and pads.
    """
    n, k = rows.shape
    table = rows.new_zeros(n + 1, -(-(k + 1) // LANES) * LANES)
    table[:-1, :k] = rows
    table[:-1, k - 1] = 1
    table[:-1, -1] = -rows[:, -1] - mean
    return table


@dataclass(frozen=True)
class Side:
    """The rows of one side in its own order: whose they are, the other's index, the ratings."""

    groups: Groups
    others: Tensor
    ratings: Tensor

    @cached_property
    def counts(self) -> Tensor:
        """How many ratings each entity has (n,)."""
        return self.groups.counts

    def products(self, inputs: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Entities (m,), and of each X'X (w, w) of its inputs, the last column what is left."""
        width = inputs.shape[1]
        numbers = NUMBERS_AT_ONCE[inputs.device.type]
        for at, longest in self.batches(width, numbers):
            found = inputs.new_zeros(len(at), width, width)
            length = max(1, numbers // (len(at) * width))
            for first in range(0, longest, length):
                x = self.gathered(inputs, at, range(first, min(first + length, longest)))
                found.baddbmm_(x.mT, x)
            yield at, found

    def gathered(self, inputs: Tensor, at: Tensor, part: range) -> Tensor:
        """Some of the inputs (m, n, w) of entities (m,), zeros where one has no more."""
        step = torch.arange(part.start, part.stop, device=at.device)
        there = step < self.counts[at][:, None]
        place = (self.groups.starts[at][:, None] + step).clamp_(max=len(self.others) - 1).flatten()
        others = self.others.index_select(0, place).masked_fill_(~there.flatten(), len(inputs) - 1)
        x = inputs.index_select(0, others).view(*there.shape, -1)
        x[:, :, -1] += self.ratings.index_select(0, place).view_as(there) * there
        return x

    def batches(self, width: int, numbers: int) -> Iterator[tuple[Tensor, int]]:
        """Entities (m,) and the most ratings that one of them has, the longest first.

        Entities without a rating are in none. numbers: about so many are gathered for a batch.
        """
        by_count = self.counts.argsort(descending=True, stable=True)
        lengths = self.counts[by_count].tolist()
        first, end = 0, sum(length > 0 for length in lengths)
        while first < end:
            longest = lengths[first]
            last = min(first + max(1, numbers // (max(longest, width) * width)), end)
            last = first + sum(length >= FULL * longest for length in lengths[first:last])
            yield by_count[first:last], longest
            first = last


def sides_of(rows: Rows) -> tuple[Side, Side]:
    """The training rows as those of users, and of items, which are copied in their order."""
    assert rows.by_user
    assert rows.by_item
    assert rows.by_item.order is not None
    by_item = (of.index_select(0, rows.by_item.order) for of in (rows.users, rows.ratings))
    return Side(rows.by_user, rows.items, rows.ratings), Side(rows.by_item, *by_item)
