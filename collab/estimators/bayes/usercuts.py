"""Cut points of each user's own: one spends all the stars there are, another only some of them.

log gap_uj = log gap_j + d_uj, d_uj ~ N(0, 1 / t_j), t_j ~ Gamma(2, 0.04)

The points of a user have the mean of those of all, since a shift of all his points is his bias.
"""

import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.bayes.draws import below, gamma, normal, uniform
from collab.estimators.bayes.likelihood import (
    ACCEPTED,
    FAR,
    PROPOSALS,
    OrderedProbit,
    class_probabilities,
)

SHAPE, RATE = 2.0, 0.04  # of the prior of t


class UserCuts(OrderedProbit):
    """Ordered probit whose gaps between cut points differ by user.

    apart (n_users, c - 2): d; precision (c - 2,): t; widths (n_users,): of the proposals of d.
    """

    def __init__(self, train: Rows, n_users: int) -> None:
        """All users alike."""
        super().__init__(train)
        gaps = max(len(self.cuts) - 1, 0)
        self.users = train.users
        self.apart = torch.zeros(n_users, gaps, device=train.device)
        self.precision = torch.full((gaps,), SHAPE / RATE, device=train.device)
        self.widths = torch.full((n_users,), 0.15, device=train.device)

    @property
    def points(self) -> Tensor:
        """Cut points of each user, (n_users, c - 1)."""
        return self.points_of(self.cuts, self.apart)

    def points_of(self, cuts: Tensor, apart: Tensor) -> Tensor:
        """The same for other common cut points and other gaps."""
        gaps = (cuts.diff().log() + apart).exp()
        points = torch.cat([gaps.new_zeros(len(apart), min(len(cuts), 1)), gaps], 1).cumsum(1)
        return points - points.mean(1, keepdim=True) + cuts.mean()

    def bounds(self, cuts: Tensor) -> tuple[Tensor, Tensor]:
        """Between which points each row's latent number lies, (n,), (n,)."""
        return self.between(self.points_of(cuts, self.apart))

    def between(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The same, the users' points (n_users, c - 1) given."""
        far = points.new_full((len(points), 1), FAR)
        ends = torch.cat([-far, points, far], 1)
        at = self.users.long() * ends.shape[1] + self.kind
        flat = ends.reshape(-1)
        return flat.index_select(0, at), flat.index_select(0, at + 1)

    def before(self, scores: Tensor, g: torch.Generator, *, adapt: bool) -> None:
        """Gaps of the users, except before the first scores; then what all share."""
        if not self.fresh:
            self.draw_apart(scores, g, adapt=adapt)
        super().before(scores, g, adapt=adapt)

    def draw_apart(self, scores: Tensor, g: torch.Generator, *, adapt: bool) -> None:
        """Metropolis for all users at once, each judged by the own ratings; then t."""
        now = self.by_user(self.apart, scores)
        for _ in range(PROPOSALS):
            new = self.apart + self.widths[:, None] * normal(tuple(self.apart.shape), g)
            then = self.by_user(new, scores)
            prior = ((self.apart.square() - new.square()) * self.precision).sum(1) / 2
            accepted = uniform((len(new),), g).log() < then - now + prior
            self.apart = torch.where(accepted[:, None], new, self.apart)
            now = torch.where(accepted, then, now)
            if adapt:
                self.widths = self.widths * ((accepted.float() - ACCEPTED) * 0.1).exp()
        shape = torch.full_like(self.precision, SHAPE + len(self.apart) / 2)
        rate = RATE + self.apart.square().sum(0) / 2
        self.precision = (gamma(shape, g) / rate).float()

    def by_user(self, apart: Tensor, scores: Tensor) -> Tensor:
        """Log likelihood of each user's ratings, (n_users,)."""
        low, high = self.between(self.points_of(self.cuts, apart))
        mass = (below(high - scores) - below(low - scores)).clamp(min=1e-12)
        return scores.new_zeros(len(apart)).index_add(0, self.users, mass.log())

    def probabilities(self, scores: Tensor) -> Tensor:
        """Of the classes (n, c), at scores (n,) of the training rows."""
        return class_probabilities(scores, self.points.index_select(0, self.users))

    def state(self) -> dict[str, Tensor]:
        """What all share, and the users' gaps with the width of their proposals."""
        own = {"apart": self.apart, "precision": self.precision, "widths": self.widths}
        return super().state() | own

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state."""
        super().restore(state)
        self.apart, self.precision = state["apart"], state["precision"]
        self.widths = state["widths"]
