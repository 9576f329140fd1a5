"""A new user, taken in without training: a ridge regression on the items' factors.

With what is known of the items held fixed, the row w = (factors, bias) of who gave stars y to n
items minimises

    sum (y - mean - item_bias - <w, x>)^2 + penalty(n) (w - m)' P (w - m),    x = (item_factors, 1)

where m and P are the model's prior of a user. Its posterior covariance is the variance of the noise
times (X'X + penalty P)^-1.
"""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from collab.estimators.api import Factors, HasFactors


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What a model takes a user's row (k + 1,), factors and then the bias, to be before any rating.

    mean (k + 1,); precision (k + 1, k + 1): in units of the noise, as X'X is; float64.
    noise: variance of a rating around its score, stars squared.
    ridge, share, power: the precision of a user of n ratings counts ridge + share n^power times.
    """

    mean: Tensor
    precision: Tensor
    noise: float
    ridge: float = 1.0
    share: float = 0.0
    power: float = 0.0

    def penalty(self, n: int) -> float:
        """How many times the precision counts beside n ratings."""
        return self.ridge + self.share * math.pow(n, self.power)


@dataclass(frozen=True, kw_only=True)
class FoldedUser:
    """A new user as a model sees one: factors (k,) and a bias."""

    factors: Tensor
    bias: float


@runtime_checkable
class FoldsIn(HasFactors, Protocol):
    """A model without a link that takes in a new user; what it adds is its prior."""

    def prior(self) -> Prior:
        """Of a user's row, in the coordinates of `factors`."""
        ...

    def fold_in(self, items: Tensor, stars: Tensor) -> FoldedUser:
        """The user who gave `stars` (n,) to `items` (n,), dense indices."""
        return folded(self.factors(), self.prior(), items, stars)


def inputs(found: Factors) -> Tensor:
    """Of every item the factors and 1, (n_items, k + 1), float64: what a user's row multiplies."""
    one = found.item_factors.new_ones(len(found.item_factors), 1)
    return torch.cat([found.item_factors, one], 1).double()


def folded(found: Factors, prior: Prior, items: Tensor, stars: Tensor) -> FoldedUser:
    """The user who gave `stars` (n,) to `items` (n,), dense indices."""
    items = items.long().cpu()
    x = inputs(found)[items]
    left = stars.cpu().double() - found.mean - found.item_bias[items].double() - x @ prior.mean
    precision = x.mT @ x + prior.penalty(len(items)) * prior.precision
    row = prior.mean + torch.linalg.solve(precision, x.mT @ left)
    return FoldedUser(factors=row[:-1].float(), bias=float(row[-1]))
