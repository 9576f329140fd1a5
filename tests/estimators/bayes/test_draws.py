"""Draws against the moments of their distributions."""

import math

import pytest
import torch

from collab.estimators.bayes.draws import below, gamma, truncated_normal, wishart
from tests.estimators.bayes.planted import generator

N = 40_000


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0, 5000.0])
def test_gamma_has_mean_and_variance_of_its_shape(shape: float) -> None:
    drawn = gamma(torch.full((N,), shape), generator())
    assert abs(float(drawn.mean()) - shape) < 5 * math.sqrt(shape / N)
    assert float(drawn.var()) == pytest.approx(shape, rel=0.1)
    assert bool((drawn > 0).all())


def test_wishart_moments() -> None:
    """E[W] = n V; var(W_ij) = n (V_ij^2 + V_ii V_jj)."""
    scale = torch.tensor([[2.0, 0.6], [0.6, 1.0]], dtype=torch.float64)
    g, degrees = generator(), 7.0
    drawn = torch.stack([wishart(degrees, torch.linalg.inv(scale), g) for _ in range(4000)])
    variance = degrees * (scale**2 + torch.outer(scale.diagonal(), scale.diagonal()))
    off = (drawn.mean(0) - degrees * scale).abs() / (variance / len(drawn)).sqrt()
    assert float(off.max()) < 4
    assert torch.allclose(drawn.var(0), variance, rtol=0.12)


def test_truncated_normal_has_the_closed_mean_and_stays_inside() -> None:
    low, high, mean = 0.5, 2.0, -0.4
    at = [torch.full((N,), value) for value in (mean, low, high)]
    drawn = truncated_normal(at[0], at[1], at[2], generator())
    a, b = low - mean, high - mean
    density = [math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in (a, b)]
    mass = float(below(torch.tensor(b)) - below(torch.tensor(a)))
    assert float(drawn.mean()) == pytest.approx(mean + (density[0] - density[1]) / mass, abs=0.01)
    assert low <= float(drawn.min()) <= float(drawn.max()) <= high


def test_truncated_normal_far_out_lies_at_the_near_bound() -> None:
    far = truncated_normal(
        torch.zeros(3), torch.full((3,), 9.0), torch.full((3,), 10.0), generator()
    )
    assert far.tolist() == [9.0, 9.0, 9.0]
