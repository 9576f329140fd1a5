"""The random split of the book's library."""

from dataclasses import dataclass

import torch
from torch import Tensor

VALID_PCT = 0.2


@dataclass(frozen=True)
class Split:
    """Row numbers in archive order, int64: `train` (n - v,) and `valid` (v,); disjoint."""

    train: Tensor
    valid: Tensor


def random_split(n: int, seed: int, valid_pct: float = VALID_PCT) -> Split:
    """The first `int(valid_pct * n)` of a seeded permutation are the validation rows.

    Source: fastai's `RandomSplitter`; the same seed gives the same rows.
    """
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    cut = int(valid_pct * n)
    return Split(train=order[cut:], valid=order[:cut])
