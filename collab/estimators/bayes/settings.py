"""The hyperparameters that all samplers share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, Self, TypeVar

from collab.base.errors import CollabError
from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.bayes.effects import SESSION, TASTE
from collab.estimators.bayes.sampling import Plan, Sampling
from collab.estimators.bayes.start import Parts

SAME_NOISE = (0.0, 0.0)
Model = TypeVar("Model")


@dataclass(frozen=True, kw_only=True)
class Sampled(ABC, Generic[Model]):
    """Hyperparameters of a chain.

    n_factors: of each user and item.
    sweeps: in all; the first `burn_in` are forgotten, and there is a model each `thin` after them.
    columns: of the tables that hold the posterior mean of users by items.
    chains: of seeds that follow one another, merged; each may be a run of its own.
    history, side: whether what was rated, and side features, predict the prior's mean.
    effects: names of the random effects.
    """

    uses_time: ClassVar[bool] = False
    n_factors: int = 10
    sweeps: int = 200
    burn_in: int = 40
    thin: int = 5
    columns: int = 96
    chains: int = 1
    history: bool = True
    side: bool = True
    effects: tuple[str, ...] = TASTE

    def __post_init__(self) -> None:
        """Refuse what would be found out only after hours.

        Raises:
            CollabError: there is no sweep to keep, or an effect of time where none is used.
        """
        if self.chains < 1:
            raise CollabError(f"chains is {self.chains}; at least 1 is needed.")
        if self.plan.passes < 1:
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
        """A model each `thin` sweeps after the burn-in; of several chains, one after each."""
        return self.plan.passes if self.chains == 1 else self.chains

    def fit(self, train: Rows, context: Context) -> Iterator[Model]:
        """A model of all sweeps so far, after each pass."""
        if self.chains == 1:
            yield from self.sample(train, context)
            return
        models: list[Model] = []
        for seed in self.seeds(context.seed):
            *_, last = self.sample(train, replace(context, seed=seed))
            models.append(last)
            yield self.merge(models)

    @abstractmethod
    def sample(self, train: Rows, context: Context) -> Iterator[Model]:
        """The models of one chain, after each pass."""

    @abstractmethod
    def merge(self, models: Sequence[Model]) -> Model:
        """The model of several chains on the same rows."""

    def alone(self) -> Self:
        """The estimator of one chain."""
        return replace(self, chains=1)

    def seeds(self, seed: int) -> list[int]:
        """Each chain's seed; the first is the one given."""
        return [seed + number for number in range(self.chains)]

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
