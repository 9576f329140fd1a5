"""The random split of the book's library."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from collab.errors import CollabError

VALID_PCT = 0.2


@dataclass(frozen=True)
class Split:
    """Row numbers in archive order, int64: `train` (n - v,) and `valid` (v,); disjoint."""

    train: Tensor
    valid: Tensor


def random_split(n: int, seed: int, valid_pct: float = VALID_PCT) -> Split:
    """The first `int(valid_pct * n)` of a seeded permutation are the validation rows.

    Source: fastai's `RandomSplitter`; the same seed gives the same rows.

    Raises:
        CollabError: there are so few rows that none would be a validation row.
    """
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    cut = int(valid_pct * n)
    if not cut:
        raise CollabError(
            f"There are {n} ratings; at least {math.ceil(1 / valid_pct)} are needed to set some "
            "apart for validation. Use an archive with more."
        )
    return Split(train=order[cut:], valid=order[:cut])
