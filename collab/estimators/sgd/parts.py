"""What the models are made of: initialised tables and layers, and the sigmoid range."""

import math

import torch
from torch import Tensor, nn

Tables = tuple[list[Tensor], list[Tensor]]  # of the users and of the items, (n, ...) each


def embedding(n: int, size: int, generator: torch.Generator) -> nn.Embedding:
    """A table (n, size) drawn from a truncated normal(0, 0.01)."""
    table = nn.Embedding(n, size)
    table.weight = truncated_normal(n, size, generator=generator)
    return table


def linear(n_in: int, n_out: int, generator: torch.Generator, *, bias: bool = True) -> nn.Linear:
    """A linear layer with PyTorch's default distribution, drawn from `generator`."""
    layer = nn.Linear(n_in, n_out, bias=bias)
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    if bias:
        bound = 1 / math.sqrt(n_in)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def normal(*shape: int, generator: torch.Generator) -> nn.Parameter:
    """A parameter drawn from normal(0, 0.01)."""
    return nn.Parameter(torch.empty(shape).normal_(0, 0.01, generator=generator))


def truncated_normal(*shape: int, generator: torch.Generator, std: float = 0.01) -> nn.Parameter:
    """A parameter drawn from normal(0, std), cut off at two deviations."""
    drawn = torch.empty(shape)
    nn.init.trunc_normal_(drawn, std=std, a=-2 * std, b=2 * std, generator=generator)
    return nn.Parameter(drawn)


def embedding_size(n: int, widest: int = 600) -> int:
    """The width for a table of n rows: min(600, round(1.6 n^0.56)), the rule of fastai."""
    return min(widest, round(1.6 * math.pow(n, 0.56)))


def sigmoid_range(x: Tensor, low: float, high: float) -> Tensor:
    """Squash into (low, high)."""
    return torch.sigmoid(x) * (high - low) + low
