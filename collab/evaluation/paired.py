"""The difference of two runs on equal rows.

Errors of one user's ratings go together, so users are drawn, not rows: a cluster bootstrap
(Cameron, Gelbach and Miller 2008). What both runs find hard falls out of the difference, which is
why it is far surer than either error.

Who is drawn is computed from a counter by whole numbers alone, so that the published macro
`paired_difference` draws the same users and gives the same interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collab.base.errors import CollabError
from collab.evaluation.judged import Judged

DRAWS = 1000
GROUPS = 4096  # users beyond are pooled in so many groups of whole users: as many draws are enough
LEVEL = 0.95
MULTIPLIERS = (2_146_121_005, 2_221_713_035)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean squared error of one run minus that of another, and its 95 % interval, stars squared."""

    value: float
    low: float
    high: float

    @property
    def differs(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def paired_difference(one: Judged, other: Judged, *, seed: int = 0) -> Difference:
    """How much larger the first one's mean squared error is, on the rows of both.

    Args:
        one, other: judged on the same rows.
        seed: of the bootstrap.

    Raises:
        CollabError: their rows differ.
    """
    if not np.array_equal(one.position, other.position) or not len(one.position):
        raise CollabError(
            "Two runs can only be compared on equal rows: these were validated on others. "
            "Train both on the same dataset."
        )
    sums, counts = by_group(one.squared - other.squared, one.user_id)
    groups = draws(len(sums), seed)
    drawn = sums[groups].sum(axis=1) / counts[groups].sum(axis=1)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(value=float(sums.sum() / counts.sum()), low=float(low), high=float(high))


def by_group(
    values: NDArray[np.float64], users: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and number of the values of each user, or of each group of users where they are many."""
    _, group = np.unique(users, return_inverse=True)
    group = group % GROUPS
    sums = np.bincount(group, weights=values).astype(np.float64)
    return sums, np.bincount(group).astype(np.float64)


def draws(n: int, seed: int = 0) -> NDArray[np.intp]:
    """Which of n groups are drawn, with replacement: (DRAWS, n).

    A counter is mixed into 32 bits that look random, by two multiplications (C. Wellons, hash
    prospector, 2018); SQL has the same operations.
    """
    low = np.uint64(2**32 - 1)
    x = np.arange(DRAWS * n, dtype=np.uint64) + np.uint64(seed * DRAWS * GROUPS)
    for multiplier, shift in ((MULTIPLIERS[0], 16), (MULTIPLIERS[1], 15)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(multiplier)) & low
    x ^= x >> np.uint64(16)
    return (x % np.uint64(n)).reshape(DRAWS, n).astype(np.intp)
