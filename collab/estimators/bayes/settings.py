"""The hyperparameters that all samplers share."""

from dataclasses import dataclass

from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.bayes.effects import TASTE
from collab.estimators.bayes.sampling import Plan, Sampling
from collab.estimators.bayes.start import Parts

SAME_NOISE = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """Hyperparameters of a chain.

    n_factors: of each user and item.
    sweeps: in all; the first `burn_in` are forgotten, and there is a model each `thin` after them.
    columns: of the tables that hold the posterior mean of users by items.
    history, side: whether what was rated, and side features, predict the prior's mean.
    effects: names of the random effects.
    """

    n_factors: int = 10
    sweeps: int = 200
    burn_in: int = 40
    thin: int = 5
    columns: int = 96
    history: bool = True
    side: bool = True
    effects: tuple[str, ...] = TASTE

    @property
    def plan(self) -> Plan:
        """How long a chain runs."""
        return Plan(sweeps=self.sweeps, burn_in=self.burn_in, thin=self.thin, columns=self.columns)

    @property
    def passes(self) -> int:
        """A model each `thin` sweeps after the burn-in."""
        return self.plan.passes

    def parts(self, *, ordinal: bool, noise: tuple[float, float] = SAME_NOISE) -> Parts:
        """What the chain is made of; noise: its freedom by users and by items."""
        return Parts(
            n_factors=self.n_factors,
            ordinal=ordinal,
            user_noise=noise[0],
            item_noise=noise[1],
            history=self.history,
            side=self.side,
            effects=self.effects,
        )

    def chain(self, train: Rows, context: Context, parts: Parts) -> Sampling:
        """A chain before its first sweep."""
        return Sampling(train, context, parts, self.plan)
