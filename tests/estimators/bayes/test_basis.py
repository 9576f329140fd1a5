"""Bases against dense decompositions."""

import pytest
import torch
from torch import Tensor

from collab.estimators.bayes.basis import Operator, history_basis, leading, side_basis, sparse
from collab.estimators.bayes.lowrank import approximate, compress
from tests.estimators.bayes.planted import generator


def dense_operator(matrix: Tensor) -> Operator:
    return Operator(len(matrix), matrix.shape[1], lambda x: matrix @ x, lambda y: matrix.mT @ y)


def decaying(n: int, d: int) -> Tensor:
    """A matrix whose singular values halve."""
    g = generator()
    left: Tensor = torch.linalg.qr(torch.randn(n, 30, generator=g))[0]
    right: Tensor = torch.linalg.qr(torch.randn(d, 30, generator=g))[0]
    return (left * 0.5 ** torch.arange(30)) @ right.mT


@pytest.mark.parametrize(("n", "d"), [(50, 80), (80, 50), (400, 300)])
def test_leading_triples_are_those_of_the_dense_decomposition(n: int, d: int) -> None:
    matrix = decaying(n, d)
    left, values, right = leading(dense_operator(matrix), 5, generator(1))
    assert torch.allclose(values, torch.linalg.svdvals(matrix)[:5], rtol=1e-3)
    assert torch.allclose((left * values) @ right.mT, matrix, atol=0.03)
    assert torch.allclose(left.mT @ left, torch.eye(5), atol=1e-3)


def test_a_history_basis_spans_the_centred_histories_and_leaves_cold_rows_at_zero() -> None:
    rated = (torch.rand(12, 9, generator=generator()) < 0.5).float()
    rated[3] = 0  # a cold row
    both = [m.to_sparse_csr() for m in (rated, rated.mT.contiguous())]
    matrices = [sparse(m.crow_indices(), m.col_indices(), m.values(), m.shape[1]) for m in both]
    basis = history_basis(matrices[0], matrices[1], 9, generator())
    assert basis is not None
    scaled = rated / rated.sum(1, keepdim=True).clamp(min=1).sqrt()
    seen = rated.sum(1) > 0
    scaled[seen] -= scaled[seen].mean(0)
    told = basis.vectors * basis.strengths
    assert torch.allclose(told @ told.mT, scaled @ scaled.mT, atol=1e-4)
    assert torch.equal(basis.vectors[3], torch.zeros(basis.vectors.shape[1]))


def test_where_most_rows_have_no_ratings_there_is_a_basis_too() -> None:
    """900 rows of which 20 have ratings: all but 20 eigenvalues are zero."""
    rated = torch.zeros(900, 950)
    rated[::45] = (torch.rand(20, 950, generator=generator()) < 0.3).float()
    both = [m.to_sparse_csr() for m in (rated, rated.mT.contiguous())]
    matrices = [sparse(m.crow_indices(), m.col_indices(), m.values(), m.shape[1]) for m in both]
    basis = history_basis(matrices[0], matrices[1], 400, generator())
    assert basis is not None
    assert basis.vectors.shape == (900, 19)  # one is lost to the mean
    assert bool(basis.vectors.isfinite().all())
    there = basis.vectors[::45]
    assert torch.allclose(there.mT @ there, torch.eye(19), atol=1e-3)


def test_side_information_is_orthonormal_over_rows_with_ratings_and_zero_for_the_unknown() -> None:
    columns = torch.randn(10, 3, generator=generator())
    seen = torch.arange(10).remainder(4) != 0
    basis = side_basis(columns, seen, 400)
    assert basis is not None
    there = basis.vectors[seen]
    assert torch.allclose(there.mT @ there, torch.eye(3), atol=1e-4)
    assert torch.equal(basis.vectors[0], torch.zeros(3))
    centred = columns[4] - columns[seen].mean(0)
    products = (columns[seen] - columns[seen].mean(0)) @ centred
    told = basis.vectors * basis.strengths
    assert torch.allclose(told[seen] @ told[4], products, atol=1e-4)


def test_side_information_that_says_nothing_is_no_basis() -> None:
    assert side_basis(torch.zeros(5, 0), torch.ones(5), 400) is None
    assert side_basis(torch.ones(5, 2), torch.ones(5), 400) is None


def test_compressing_keeps_a_product_of_low_rank_and_weighs_rows() -> None:
    g = generator()
    left, right = torch.randn(30, 3, generator=g), torch.randn(20, 3, generator=g)
    doubled = torch.cat([left, left], 1), torch.cat([right, 2 * right], 1)
    weights = (1 + torch.rand(30, 1, generator=g), 1 + torch.rand(20, 1, generator=g))
    got = compress(*doubled, 3, weights)
    assert torch.allclose(got[0] @ got[1].mT, 3 * left @ right.mT, atol=1e-4)
    again = approximate(dense_operator(3 * left @ right.mT), 3, weights)
    assert torch.allclose(again[0] @ again[1].mT, 3 * left @ right.mT, atol=1e-3)
