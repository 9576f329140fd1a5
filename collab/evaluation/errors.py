"""Predictions and their errors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from collab.dataset.interactions import Interactions

ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Mean squared error, its root, and mean absolute error, in stars."""

    mse: float
    rmse: float
    mae: float


@torch.inference_mode()
def predict(model: nn.Module, rows: Interactions) -> Tensor:
    """Scores (n,) for every row; an unknown user or item is scored by the embedding of index 0."""
    model.eval()
    starts = range(0, len(rows), ROWS_AT_ONCE)
    parts = [slice(start, start + ROWS_AT_ONCE) for start in starts]
    return torch.cat([model(rows.users[part], rows.items[part]) for part in parts])


def measure(predicted: Tensor, actual: Tensor) -> Errors:
    """The errors of predictions (n,) against ratings (n,), summed in float64."""
    difference = predicted.double() - actual.double()
    mse = float(difference.square().mean())
    return Errors(mse=mse, rmse=math.sqrt(mse), mae=float(difference.abs().mean()))
