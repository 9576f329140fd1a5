"""How sure alternating least squares is of each row: Laplace's approximation, as draws.

A row is the mode of a Gaussian posterior given the other side: its precision is that of the row's
ridge regression over the variance of the noise. Both sides are drawn apart from each other, so what
they do not know together is left out; Gibbs sampling (`bayes`) leaves nothing out.

The draws are kept in place of the precisions, which take as much room as so many draws as there
are columns; as differences from the rows, so that half precision is enough.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

NUMBERS_KEPT = 1 << 28  # of all draws: 512 MiB; fewer draws beyond
FREE = 0.5  # of the ratings at least this share is taken to be free, where parameters abound
CHUNK = 1 << 11  # pairs gathered at once: what stays in a cache


@dataclass(frozen=True)
class Ridge:
    """Ridge regressions of some rows of a side.

    at (m,): which rows; penalty (m,); precision (m, w, w): of the row, in units of the noise, then
    of columns that are no part of it, with the penalty alone.
    """

    at: Tensor
    penalty: Tensor
    precision: Tensor


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Draws of rows as differences from them, on the CPU.

    users (s, n_users, k), items (s, n_items, k): float16. noise: variance of a rating, stars
    squared.
    """

    users: Tensor
    items: Tensor
    noise: float

    def rows(self, draw: int, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """One draw of the rows of both sides, float32."""
        return users + self.users[draw].float(), items + self.items[draw].float()

    def variance(self, rows: tuple[Tensor, Tensor], at: tuple[Tensor, Tensor]) -> Tensor:
        """Variance (n,) of the ratings of pairs `at`, given the rows of users and of items.

        It is that of the noise and that of the score, the mean square over the draws of how far
        the score of a drawn pair of rows is from that of the rows themselves.
        """
        middle = scores(*rows, *at)
        total = torch.zeros_like(middle)
        for draw in range(len(self.users)):
            total += (scores(*self.rows(draw, *rows), *at) - middle).square()
        return total / len(self.users) + self.noise


def scores(users: Tensor, items: Tensor, at_user: Tensor, at_item: Tensor) -> Tensor:
    """<factors, factors> + bias + bias (n,) of pairs, of rows (m, k) whose last is the bias."""
    one = torch.cat([items[:, :-1], items.new_ones(len(items), 1)], 1)
    parts = [
        (users.index_select(0, u) * one.index_select(0, i)).sum(1) + items[:, -1].index_select(0, i)
        for u, i in zip(torch.split(at_user, CHUNK), torch.split(at_item, CHUNK), strict=True)
    ]
    return torch.cat(parts)


def draw_posterior(
    ridges: Sequence[Iterable[Ridge]],
    rows: tuple[Tensor, Tensor],
    counts: Sequence[Tensor],
    loss: float,
    wanted: int,
    g: torch.Generator,
) -> Posterior:
    """Draws around the rows of users and items (n, k), each side given the other.

    ridges, counts (n,): the regressions and numbers of ratings of each side. loss: mean squared
    error on the training rows. wanted: draws, of large tables fewer.
    """
    n_draws = draws_kept(wanted, sum(side.numel() for side in rows))
    drawn, freedom = [], 0.0
    for of_side, mine in zip(ridges, rows, strict=True):
        found, learnt = draw_side(of_side, (n_draws, *mine.shape), g)
        drawn.append(found)
        freedom += learnt
    noise = noise_variance(loss, int(counts[0].sum()), freedom)
    users, items = (
        scaled(found, mine, rated > 0, noise, g)
        for found, mine, rated in zip(drawn, rows, counts, strict=True)
    )
    return Posterior(users=users, items=items, noise=noise)


def draws_kept(wanted: int, numbers: int) -> int:
    """How many draws of so many numbers each are kept; at least two."""
    return max(2, min(wanted, NUMBERS_KEPT // numbers))


def draw_side(
    ridges: Iterable[Ridge], shape: tuple[int, int, int], g: torch.Generator
) -> tuple[Tensor, float]:
    """Draws (s, n, k) of a side for noise of variance 1, as differences, and what it has learnt.

    The latter is the side's effective number of parameters, the trace of its hat matrices (Hastie,
    Tibshirani & Friedman 2009, 3.4.1). Rows without a regression are all zeros.
    """
    found, freedom = torch.zeros(shape, dtype=torch.float16, device=g.device), 0.0
    for ridge in ridges:
        lower = torch.linalg.cholesky(ridge.precision)
        width = lower.shape[1]
        one = torch.eye(width, device=g.device).expand_as(lower)
        root = torch.linalg.solve_triangular(lower, one, upper=False, left=False)
        # root' root is the inverse of the precision, so it gives rows of noise its covariance
        noise = torch.randn(len(ridge.at), shape[0], width, generator=g, device=g.device)
        drawn = torch.bmm(noise, root)[:, :, : shape[2]]
        found[:, ridge.at] = drawn.transpose(0, 1).half()
        trace = root.square().sum((1, 2))
        freedom += float((width - ridge.penalty * trace).double().sum())
    return found, freedom


def noise_variance(loss: float, n: int, freedom: float) -> float:
    """Variance of the noise, from the mean squared error on n training rows.

    freedom: effective parameters of both sides together. Where there are about as many as rows
    their number tells little, so at least half of the rows count.
    """
    return loss * n / max(n - freedom, FREE * n)


def scaled(drawn: Tensor, rows: Tensor, seen: Tensor, noise: float, g: torch.Generator) -> Tensor:
    """The draws (s, n, k), changed in place, for a variance of the noise, on the CPU.

    A row that is not `seen` (n,) could be anybody's: each draw of it is some seen row.
    """
    drawn *= noise**0.5
    known = seen.nonzero()[:, 0]
    unknown = (~seen).nonzero()[:, 0]
    shape = (len(drawn), len(unknown))
    chosen = torch.randint(len(known), shape, generator=g, device=g.device)
    drawn[:, unknown] = (rows[known[chosen]] - rows[unknown]).half()
    return drawn.cpu()
