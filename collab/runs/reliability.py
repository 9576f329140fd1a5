"""Whether ratings are as frequent as a model says they are likely: reliability of its classes.

A model of classes gives each rating there can be a probability. One that says where a rating lies,
and how far it may be off, does so too: the normal distribution between the ratings around each.
Murphy (1973) measures probabilities so, in bins.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Fitted, HasClasses, HasUncertainty

BINS = 10
ROWS_AT_ONCE = 1 << 18


def reliability(fitted: Fitted, valid: Rows, predicted: Tensor) -> pd.DataFrame | None:
    """How often each rating was given where the model had said so with some probability.

    Args:
        fitted: the model.
        valid: rows that it did not learn from.
        predicted: its predictions (n,), stars.

    Returns:
        `rating, bin, n, probability, observed`: for each rating and each tenth of probability how
        many rows there are, their mean probability, and which part of them got the rating. None
        of a model that does not say how sure it is.
    """
    if not len(valid) or not isinstance(fitted, HasClasses | HasUncertainty):
        return None
    levels = fitted.levels if isinstance(fitted, HasClasses) else torch.unique(valid.ratings)
    sums = np.zeros((3, len(levels), BINS))  # rows, their probability, how many got the rating
    for at, mass in in_parts(fitted, valid, predicted, levels):
        bins = (mass * BINS).long().clamp(0, BINS - 1)
        cell = bins + BINS * torch.arange(len(levels))
        given = (valid.ratings[at, None] == levels).double()
        for number, weight in enumerate((torch.ones_like(given), mass.double(), given)):
            summed = torch.bincount(cell.flatten(), weight.flatten(), len(levels) * BINS)
            sums[number] += summed.reshape(len(levels), BINS).numpy()
    at_level, at_bin = np.nonzero(sums[0])
    n, mass_sum, hits = (part[at_level, at_bin] for part in sums)
    return pd.DataFrame(
        {
            "rating": levels.numpy()[at_level].astype(np.float32),
            "bin": at_bin.astype(np.int8),
            "n": n.astype(np.int64),
            "probability": mass_sum / n,
            "observed": hits / n,
        }
    )


def in_parts(
    fitted: Fitted, valid: Rows, predicted: Tensor, levels: Tensor
) -> Iterator[tuple[slice, Tensor]]:
    """Probabilities (m, c) of the levels, of some rows at a time."""
    for start in range(0, len(valid), ROWS_AT_ONCE):
        at = slice(start, start + ROWS_AT_ONCE)
        rows = valid.take(at)
        if isinstance(fitted, HasClasses):
            yield at, fitted.probabilities(rows)
        elif isinstance(fitted, HasUncertainty):
            yield at, between(predicted[at], fitted.spread(rows), levels)


def between(mean: Tensor, sd: Tensor, levels: Tensor) -> Tensor:
    """Probability (n, c) of each level (c,) where stars are normal about the mean (n,)."""
    middles = (levels[1:] + levels[:-1]) / 2
    below = torch.special.ndtr((middles - mean[:, None]) / sd[:, None])
    return torch.diff(
        below,
        dim=1,
        prepend=below.new_zeros(len(mean), 1),
        append=below.new_ones(len(mean), 1),
    )
