"""How a score becomes a rating: Gaussian noise, or an ordered probit with cut points."""

from typing import Protocol

import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.bayes.draws import below, gamma, normal, truncated_normal, uniform

FAR = 50.0  # beyond the last cut points
PROPOSALS, ACCEPTED = 2, 0.3  # of the cut points a sweep, and how many shall be taken


class Likelihood(Protocol):
    """What the sampler asks of it; scores, weights and targets are (n,).

    offset: what is added to scores to have stars, 0 where they are not stars.
    weight: the precision of each target.
    target: what the scores should be.
    """

    offset: float
    weight: Tensor
    target: Tensor

    def before(self, scores: Tensor, g: torch.Generator, *, adapt: bool) -> None:
        """Draw what must be drawn before the rows; `adapt` while burning in."""
        ...

    def after(self, scores: Tensor, g: torch.Generator) -> None:
        """Draw what must be drawn after the effects."""
        ...

    def stars(self, scores: Tensor) -> Tensor:
        """Expected rating (n,) at scores of the training rows."""
        ...

    def state(self) -> dict[str, Tensor]:
        """All that a sweep changes."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state."""
        ...


class Gaussian:
    """stars = offset + score + noise of precision alpha h_u g_i.

    alpha ~ Gamma(1, 1); h ~ Gamma(nu / 2, nu / 2) by users and g by items; nu 0: no such factor.
    """

    def __init__(self, train: Rows, sizes: tuple[int, int], freedom: tuple[float, float]) -> None:
        """sizes: users and items; freedom: nu of users and items."""
        self.train, self.freedom = train, freedom
        self.offset = float(train.ratings.double().mean())
        self.target = train.ratings - self.offset
        self.alpha = torch.tensor(1.5, device=train.device)
        self.by = (train.users, train.items)
        self.noise = [torch.ones(n, device=train.device) for n in sizes]
        self.weigh()

    def weigh(self) -> None:
        """The precision of each row."""
        self.weight = self.alpha.expand(len(self.train))
        for by, noise, nu in zip(self.by, self.noise, self.freedom, strict=True):
            if nu:
                self.weight = self.weight * noise.index_select(0, by)

    def before(self, scores: Tensor, g: torch.Generator, *, adapt: bool) -> None:
        """Nothing: ratings are the targets."""

    def after(self, scores: Tensor, g: torch.Generator) -> None:
        """Each user's noise, each item's, then the noise of all."""
        squares = (self.target - scores).square()
        for side, nu in enumerate(self.freedom):
            if nu:
                self.noise[side] = self.draw_noise(side, nu, squares, g)
                self.weigh()
        shape = torch.tensor([1 + len(squares) / 2], device=squares.device)
        rate = 1 + (self.weight / self.alpha * squares).sum() / 2
        self.alpha = (gamma(shape, g)[0] / rate).float()
        self.weigh()

    def draw_noise(self, side: int, nu: float, squares: Tensor, g: torch.Generator) -> Tensor:
        """The factors of one side, (n,)."""
        by, old = self.by[side], self.noise[side]
        zeros = torch.zeros_like(old)
        rest = self.weight / old.index_select(0, by)
        rate = (nu + zeros.index_add(0, by, rest * squares)) / 2
        shape = (nu + torch.bincount(by, minlength=len(old))) / 2
        return (gamma(shape, g) / rate).float()

    def stars(self, scores: Tensor) -> Tensor:
        """The scores, shifted."""
        return scores + self.offset

    def state(self) -> dict[str, Tensor]:
        """The noise."""
        return {"alpha": self.alpha, "users": self.noise[0], "items": self.noise[1]}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state."""
        self.alpha, self.noise = state["alpha"], [state["users"], state["items"]]
        self.weigh()


class OrderedProbit:
    """The rating is the class between whose cut points score + standard normal noise falls.

    Cut points are drawn with the noise integrated out, by Metropolis on the first and the
    logarithms of the gaps under a flat prior on the points (Cowles 1996); then the latent numbers
    (Albert & Chib 1993).

    levels (c,): the ratings there are, ascending; cuts (c - 1,); kind (n,): class of each row.
    """

    offset = 0.0

    def __init__(self, train: Rows) -> None:
        """Cut points at the shares of the classes."""
        self.levels, self.kind = torch.unique(train.ratings, return_inverse=True)
        shares = torch.bincount(self.kind, minlength=len(self.levels)).double().cumsum(0)
        self.cuts = 1.35 * torch.special.ndtri(shares[:-1] / len(train)).float()
        self.step = torch.tensor(0.01)
        self.weight = torch.ones(1, device=train.device).expand(len(train))
        self.target = torch.zeros(len(train), device=train.device)
        self.fresh = True

    @property
    def points(self) -> Tensor:
        """The cut points: of all (c - 1,), or of each user (n_users, c - 1)."""
        points: Tensor = self.cuts
        return points

    def bounds(self, cuts: Tensor) -> tuple[Tensor, Tensor]:
        """Between which points each row's latent number lies, (n,), (n,)."""
        far = torch.tensor([FAR], device=cuts.device)
        points = torch.cat([-far, cuts, far])
        return points.index_select(0, self.kind), points.index_select(0, self.kind + 1)

    def log_likelihood(self, cuts: Tensor, scores: Tensor) -> float:
        """Of all rows."""
        low, high = self.bounds(cuts)
        mass = below(high - scores) - below(low - scores)
        return float(mass.clamp(min=1e-12).log().sum())

    def before(self, scores: Tensor, g: torch.Generator, *, adapt: bool) -> None:
        """Cut points, except before the first scores; then the latent numbers."""
        if not self.fresh:
            self.draw_cuts(scores, g, adapt=adapt)
        self.fresh = False
        self.target = truncated_normal(scores, *self.bounds(self.cuts), g)

    def draw_cuts(self, scores: Tensor, g: torch.Generator, *, adapt: bool) -> None:
        """Two proposals; their width is tuned only while burning in."""
        now = self.log_likelihood(self.cuts, scores)
        for _ in range(PROPOSALS):
            old = torch.cat([self.cuts[:1], self.cuts.diff().log()])
            new = old + self.step.to(old.device) * normal((len(old),), g)
            cuts = torch.cat([new[:1], new[1:].exp()]).cumsum(0)
            then = self.log_likelihood(cuts, scores)
            jacobian = float((new[1:] - old[1:]).sum())
            accepted = float(uniform((), g).log()) < then - now + jacobian
            if accepted:
                self.cuts, now = cuts, then
            if adapt:
                self.step = self.step * float(torch.tensor((accepted - ACCEPTED) * 0.1).exp())

    def after(self, scores: Tensor, g: torch.Generator) -> None:
        """Nothing: the noise is the unit."""

    def probabilities(self, scores: Tensor) -> Tensor:
        """Of the classes (n, c), at scores (n,)."""
        return class_probabilities(scores, self.cuts)

    def stars(self, scores: Tensor) -> Tensor:
        """Expected rating."""
        levels: Tensor = self.levels
        return self.probabilities(scores) @ levels

    def state(self) -> dict[str, Tensor]:
        """Cut points and the width of their proposals."""
        fresh = torch.tensor(self.fresh)
        return {"cuts": self.cuts, "step": self.step, "target": self.target, "fresh": fresh}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state."""
        self.cuts, self.step, self.target = state["cuts"], state["step"].cpu(), state["target"]
        self.fresh = bool(state["fresh"])


def class_probabilities(scores: Tensor, cuts: Tensor, spread: Tensor | float = 1.0) -> Tensor:
    """Probability (n, c) of each class between the cut points (c - 1,) or (n, c - 1).

    scores (n,): means of the latent numbers; spread: their standard deviation, or one each.
    """
    sd = spread[:, None] if isinstance(spread, Tensor) else spread
    edges = below((cuts - scores[:, None]) / sd)
    ends = edges.new_zeros(len(scores), 1), edges.new_ones(len(scores), 1)
    return torch.cat([ends[0], edges, ends[1]], 1).diff(dim=1)
