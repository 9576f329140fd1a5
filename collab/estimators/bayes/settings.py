"""The hyperparameters that all samplers share."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from collab.base.errors import CollabError
from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.bayes.effects import SESSION, TASTE
from collab.estimators.bayes.sampling import Plan, Sampling
from collab.estimators.bayes.start import Parts
from collab.estimators.space import Span

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

    uses_time: ClassVar[bool] = False
    n_factors: Annotated[int, Span(low=4, high=32, log=True)] = 10
    sweeps: Annotated[int, Span(low=60, high=400, log=True)] = 200
    burn_in: int = 40
    thin: int = 5
    columns: int = 96
    history: bool = True
    side: bool = True
    effects: tuple[str, ...] = TASTE

    def __post_init__(self) -> None:
        """Refuse what would be found out only after hours.

        Raises:
            CollabError: there is no sweep to keep, or an effect of time where none is used.
        """
        if self.passes < 1:
            raise CollabError(
                f"{self.sweeps} sweeps leave no model after {self.burn_in} of burn-in and "
                f"{self.thin} for each model. Take more sweeps."
            )
        timed = sorted(set(self.effects) & set(SESSION))
        if timed and not self.uses_time:
            raise CollabError(
                f"{type(self).__name__} uses no time stamps, but has the effects "
                f"{', '.join(timed)}. Take BayesianTime or BayesianPairTime, or leave them out."
            )

    @property
    def plan(self) -> Plan:
        """How long a chain runs."""
        return Plan(sweeps=self.sweeps, burn_in=self.burn_in, thin=self.thin, columns=self.columns)

    @property
    def passes(self) -> int:
        """A model each `thin` sweeps after the burn-in."""
        return self.plan.passes

    def parts(
        self, *, ordinal: bool, noise: tuple[float, float] = SAME_NOISE, user_cuts: bool = False
    ) -> Parts:
        """What the chain is made of; noise: its freedom by users and by items."""
        return Parts(
            n_factors=self.n_factors,
            ordinal=ordinal,
            user_cuts=user_cuts,
            user_noise=noise[0],
            item_noise=noise[1],
            history=self.history,
            side=self.side,
            effects=self.effects,
        )

    def chain(self, train: Rows, context: Context, parts: Parts) -> Sampling:
        """A chain before its first sweep."""
        return Sampling(train, context, parts, self.plan)
