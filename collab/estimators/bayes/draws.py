"""Draws from the distributions a sweep needs, on any device, each from a generator passed in."""

import math

import torch
from torch import Tensor


def normal(shape: tuple[int, ...], g: torch.Generator) -> Tensor:
    """Standard normal numbers, float32, on the generator's device."""
    return torch.randn(shape, generator=g, device=g.device)


def uniform(shape: tuple[int, ...], g: torch.Generator) -> Tensor:
    """Numbers in [0, 1), float32."""
    return torch.rand(shape, generator=g, device=g.device)


def gamma(shape: Tensor, g: torch.Generator) -> Tensor:
    """Gamma variates of rate 1 with shapes (n,), float64 (Marsaglia & Tsang 2000)."""
    shape = shape.to(torch.float64)
    boosted = shape < 1  # a draw of shape + 1 times U^(1 / shape)
    d = torch.where(boosted, shape + 1, shape) - 1 / 3
    out = torch.empty_like(d)
    todo = torch.arange(len(d), device=d.device)
    while len(todo):
        at = d[todo]
        x = normal((len(todo),), g).double()
        v = (1 + x / (9 * at).sqrt()) ** 3
        bound = 0.5 * x**2 + at * (1 - v + v.clamp(min=1e-300).log())
        accepted = (v > 0) & (uniform((len(todo),), g).double().log() < bound)
        out[todo[accepted]] = (at * v)[accepted]
        todo = todo[~accepted]
    if bool(boosted.any()):
        power = uniform((len(d),), g).double().clamp(min=1e-30) ** (1 / shape)
        out = torch.where(boosted, out * power, out)
    return out


def wishart(degrees: float, scale_inverse: Tensor, g: torch.Generator) -> Tensor:
    """A precision matrix (K, K), float64: Wishart(degrees, scale_inverse^-1), by Bartlett."""
    size = len(scale_inverse)
    shapes = (degrees - torch.arange(size, device=g.device, dtype=torch.float64)) / 2
    bartlett = torch.tril(normal((size, size), g).double(), -1)
    bartlett += torch.diag((2 * gamma(shapes, g)).sqrt())
    lower = torch.linalg.cholesky(scale_inverse.double())
    half: Tensor = torch.linalg.solve_triangular(lower.mT, bartlett, upper=True)
    return half @ half.mT


def below(x: Tensor) -> Tensor:
    """Probability that a standard normal number is below x, any shape."""
    return 0.5 * torch.erfc(x * -math.sqrt(0.5))


def truncated_normal(mean: Tensor, low: Tensor, high: Tensor, g: torch.Generator) -> Tensor:
    """Normal numbers of unit variance between `low` and `high`, all (n,).

    Beyond 4.7 standard deviations they lie at the nearer bound, as nearly all of them would.
    """
    a, b = below(low - mean), below(high - mean)
    quantile = a + (b - a) * uniform((len(mean),), g)
    inside = (2 * quantile - 1).clamp(-1 + 2e-6, 1 - 2e-6)
    drawn = mean + math.sqrt(2) * torch.erfinv(inside)
    return torch.minimum(torch.maximum(drawn, low), high)
