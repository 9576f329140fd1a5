"""The errors of predictions."""

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Mean squared error, its root, and mean absolute error, in stars."""

    mse: float
    rmse: float
    mae: float


def measure(predicted: Tensor, actual: Tensor) -> Errors | None:
    """The errors of predictions (n,) against ratings (n,), summed in float64; None of no rows."""
    if not len(actual):
        return None
    difference = predicted.double().sub_(actual)
    mse = float(difference.square().mean())
    return Errors(mse=mse, rmse=math.sqrt(mse), mae=float(difference.abs().mean()))
