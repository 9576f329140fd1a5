"""Gibbs sampling on the ratings of some users, all others folded into each draw.

What large editions could have in place of a chain on all ratings: `benchmarks.posteriors` measures
whether it pays. A folded user's row is drawn from its conditional given the items of the draw, the
prior being the normal distribution of the rows of the sampled users; effects of taste are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from collab.dataset.rows import Rows, grouped
from collab.estimators.api import Context, Factors
from collab.estimators.bayes import BayesianMF
from collab.estimators.bayes.factors import covariance

SAMPLE_SEED = 0  # the same users for every seed of the chain


@dataclass(frozen=True, kw_only=True)
class SampledUsers:
    """A chain on a share of the users; draws: so many that the others are folded into."""

    chain: BayesianMF
    share: float = 0.2
    draws: int = 8

    @property
    def sweeps(self) -> int:
        """Of the chain."""
        return self.chain.sweeps

    def fit(self, train: Rows, context: Context) -> "Iterator[Folded]":
        """One model, when all of it is done."""
        g = torch.Generator().manual_seed(SAMPLE_SEED)
        chosen = torch.rand(context.n_users, generator=g) < self.share
        at = chosen[train.users.long()].nonzero()[:, 0]
        some = grouped(train.take(at), context.n_users, context.n_items)
        *_, model = self.chain.fit(some, context)
        variance = float(model.moments.tables["variance"])
        samples = list(model.samples())[-self.draws :]
        g = torch.Generator().manual_seed(context.seed)
        drawn = [fold(draw, chosen, train, variance, g) for draw in samples]
        yield Folded(drawn, variance, context.scale)


def fold(
    draw: Factors, chosen: Tensor, train: Rows, variance: float, g: torch.Generator
) -> Factors:
    """A draw with a row for every user."""
    rows = torch.cat([draw.user_factors, draw.user_bias[:, None]], 1)
    one = torch.ones(len(draw.item_factors), 1)
    items = torch.cat([draw.item_factors, one], 1)
    known = rows[chosen].double()
    mean, precision = known.mean(0).float(), torch.linalg.inv(covariance(known)).float()
    assert train.by_user
    starts = train.by_user.starts.tolist()
    for user in (~chosen).nonzero()[:, 0].tolist():
        at = slice(starts[user], starts[user + 1])
        of = train.items[at].long()
        x, left = items[of], train.ratings[at] - draw.mean - draw.item_bias[of]
        lower = torch.linalg.cholesky(x.mT @ x / variance + precision)
        right = (x.mT @ (left - x @ mean) / variance)[:, None]
        noise = torch.randn(len(mean), 1, generator=g)
        found = torch.cholesky_solve(right, lower)
        found += torch.linalg.solve_triangular(lower.mT, noise, upper=True)
        rows[user] = mean + found[:, 0]
    return replace(draw, user_factors=rows[:, :-1], user_bias=rows[:, -1])


class Folded:
    """Draws with a row for every user and item; variance: of the noise, stars squared."""

    train_loss, n_parameters = float("nan"), 0

    def __init__(self, draws: list[Factors], variance: float, scale: tuple[float, float]) -> None:
        """Hold the draws."""
        self.draws, self.variance, self.scale = draws, variance, scale

    def scores(self, rows: Rows) -> Tensor:
        """Of each draw, (s, n)."""
        return torch.stack([draw.predict(rows.users, rows.items) for draw in self.draws])

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,), the mean over the draws."""
        return self.scores(rows).mean(0).clamp(*self.scale)

    def spread(self, rows: Rows) -> Tensor:
        """Standard deviation (n,) of the rating, stars."""
        return (self.scores(rows).var(0) + self.variance).sqrt()

    def samples(self) -> Iterator[Factors]:
        """The draws."""
        return iter(self.draws)
