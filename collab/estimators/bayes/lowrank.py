"""Matrices of users by items kept as a product of few columns.

The posterior mean of P Q' is no product of means, and its rank grows with the samples; but nearly
all of it lies in a few dozen columns. Rows are weighted by how many ratings they have, since that
is where predictions are asked for.
"""

import torch
from torch import Tensor

from collab.estimators.bayes.basis import Operator, leading


def row_weights(counts: Tensor) -> Tensor:
    """Weights (n, 1) of rows with so many ratings (n,)."""
    return (counts.float() + 1).sqrt()[:, None]


def compress(
    left: Tensor, right: Tensor, columns: int, weights: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The best product of `columns` columns for left (n, m) @ right (d, m).T (Eckart & Young)."""
    if left.shape[1] <= columns:
        return left, right
    q_left, r_left = torch.linalg.qr(left * weights[0])
    q_right, r_right = torch.linalg.qr(right * weights[1])
    u, s, v = torch.linalg.svd(r_left @ r_right.mT, full_matrices=False)
    root = s[:columns].sqrt()
    return (
        q_left @ (u[:, :columns] * root) / weights[0],
        q_right @ (v[:columns].mT * root) / weights[1],
    )


def approximate(
    matrix: Operator, columns: int, weights: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The same for a matrix that can only be multiplied; always the same numbers."""
    on_left, on_right = weights
    weighted = Operator(
        matrix.n,
        matrix.d,
        lambda x: on_left * matrix.times(on_right * x),
        lambda y: on_right * matrix.transposed(on_left * y),
    )
    g = torch.Generator(on_left.device).manual_seed(0)
    left, values, right = leading(weighted, columns, g)
    root = values.sqrt()
    return left * root / on_left, right * root / on_right
