"""Row features as an orthonormal basis, so that regressing on thousands of columns is cheap.

With F = U S V', the regression F B with an isotropic prior on B is U S (V' B), and V' B has the
same prior: only U and S are needed (as in the kernel trick). What is cut off are the directions
that explain least.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

EXACT = 3  # a matrix whose smaller side is below this many times the rank is decomposed exactly
EXTRA, PASSES = 20, 4  # columns beyond the rank, and passes, of the randomised decomposition
CUT = 1e-3  # directions this much weaker than the strongest are noise of float32

with warnings.catch_warnings():  # torch says once that compressed sparse rows may change
    warnings.simplefilter("ignore")
    torch.zeros(1, 1).to_sparse_csr()


@dataclass(frozen=True)
class Basis:
    """Features: `vectors` (n, r), orthonormal over the rows with ratings; `strengths` (r,)."""

    vectors: Tensor
    strengths: Tensor


@dataclass(frozen=True)
class Operator:
    """A matrix (n, d) that is only multiplied: `times` (d, m) -> (n, m), `transposed` back."""

    n: int
    d: int
    times: Callable[[Tensor], Tensor]
    transposed: Callable[[Tensor], Tensor]


def leading(matrix: Operator, rank: int, g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Leading singular triples: left (n, r), values (r,) descending, right (d, r); r <= `rank`.

    Exact for small matrices, else by subspace iteration from a random start (Halko, Martinsson &
    Tropp 2011), whose cost is linear in the entries.
    """
    small = min(matrix.n, matrix.d)
    if small <= max(EXACT * rank, 100):
        wide = torch.eye(small, device=g.device)
        right = wide if matrix.d == small else matrix.transposed(wide)
    else:
        start = torch.randn(matrix.d, rank + EXTRA, generator=g, device=g.device)
        right = torch.linalg.qr(start)[0]
        for _ in range(PASSES):
            left = torch.linalg.qr(matrix.times(right))[0]
            right = torch.linalg.qr(matrix.transposed(left))[0]
    return projected(matrix, right, rank)


def projected(matrix: Operator, right: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """The triples of a matrix restricted to the span of `right` (d, m)."""
    if matrix.d > right.shape[1] and matrix.n == right.shape[1]:
        dense = right.mT.contiguous()  # the whole matrix, (n, d)
        values, left = strongest(dense @ dense.mT, rank)
        return left, values, dense.mT @ left / values
    dense = matrix.times(right)
    values, turn = strongest(dense.mT @ dense, rank)
    return dense @ turn / values, values, right @ turn


def strongest(square: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Singular values and vectors of a matrix by its square: the `rank` largest that are not noise.

    In float64: where most rows have no ratings nearly all eigenvalues are zero, and in float32 the
    decomposition then need not converge.
    """
    squares, vectors = (part.float() for part in torch.linalg.eigh(square.double()))
    values, vectors = squares.clamp(min=0).sqrt().flip(0)[:rank], vectors.flip(1)[:, :rank]
    kept = values > CUT * values.max().clamp(min=1e-12)
    return values[kept], vectors[:, kept]


def sparse(starts: Tensor, columns: Tensor, values: Tensor, n_columns: int) -> Tensor:
    """A compressed sparse row matrix (n, n_columns); the indices int32, as MKL takes them."""
    return torch.sparse_csr_tensor(
        starts.int(),
        columns.int(),
        values,
        size=(len(starts) - 1, n_columns),
        check_invariants=False,
    )


def history_basis(by_row: Tensor, by_column: Tensor, rank: int, g: torch.Generator) -> Basis | None:
    """Which columns each row has rated, each row scaled to length 1, as a basis.

    by_row, by_column: the incidence, sparse (n, d) and (d, n). Columns are centred over the rows
    with ratings; a row without any is all zeros, so that it sits at the average.
    """
    counts = by_row.crow_indices().diff().float()
    scale, seen = counts.clamp(min=1).rsqrt()[:, None], (counts > 0).float()[:, None]
    means = (by_column @ (scale * seen)) / seen.sum().clamp(min=1)
    matrix = Operator(
        len(counts),
        by_row.shape[1],
        lambda x: scale * (by_row @ x) - seen * (means.mT @ x),
        lambda y: by_column @ (scale * y) - means * (seen.mT @ y),
    )
    vectors, strengths, _ = leading(matrix, rank, g)
    return Basis(vectors.contiguous(), strengths) if len(strengths) else None


def side_basis(columns: Tensor, seen: Tensor, rank: int) -> Basis | None:
    """Side information (n, d) as a basis, centred over the rows with ratings (n,).

    Row 0, of which nothing is known, is at the average too.
    """
    if not columns.shape[1]:
        return None
    there = seen[:, None].float()
    centred = columns - (columns * there).sum(0) / there.sum().clamp(min=1)
    centred[0] = 0
    only_seen = centred * there
    values, turn = strongest(only_seen.mT @ only_seen, rank)
    return Basis(centred @ turn / values, values) if len(values) else None
