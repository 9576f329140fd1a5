"""The hyperparameters that all samplers share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Generic, Self, TypeVar

from collab.base.errors import CollabError
from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.bayes.effects import SESSION, TASTE
from collab.estimators.bayes.sampling import Plan, Sampling
from collab.estimators.bayes.start import Parts
from collab.estimators.cost import Cost, Size, memory
from collab.estimators.space import Span

# seconds of a rating before the first sweep; of a sweep, and of a rating in it
START_SECONDS, FIXED_SECONDS, SWEEP_SECONDS = 1.2e-5, 8e-3, 3e-7
ROW_BYTES = 200
LEAST_SWEEPS = 40  # of fewer no table of neighbours is steady
SAME_NOISE = (0.0, 0.0)
Model = TypeVar("Model")


@dataclass(frozen=True, kw_only=True)
class Sampled(ABC, Generic[Model]):
    """Hyperparameters of a chain; effort: of a sweep beside one of a Gaussian chain.

    n_factors: of each user and item.
    sweeps: in all; the first `burn_in` are forgotten, and there is a model each `thin` after them.
    columns: of the tables that hold the posterior mean of users by items.
    chains: of seeds that follow one another, merged; each may be a run of its own.
    history, side: whether what was rated, and side features, predict the prior's mean.
    effects: names of the random effects.
    """

    uses_time: ClassVar[bool] = False
    explains: ClassVar[bool] = False
    effort: ClassVar[float] = 1.5
    n_factors: Annotated[int, Span(low=4, high=32, log=True)] = 10
    sweeps: Annotated[int, Span(low=60, high=400, log=True)] = 200
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

    def cost(self, size: Size) -> Cost:
        """The bases of what was rated, and the sweeps of every chain, one after another."""
        numbers = (size.n_users + size.n_items) * (self.n_factors + 1)
        start, sweep = self.parts_of_cost(size)
        copies = 2 * self.columns // self.n_factors + self.plan.passes
        mib = memory(size, numbers=numbers, copies=copies, row_bytes=ROW_BYTES)
        return Cost(
            seconds=start + self.sweeps * sweep,
            mib=mib,
            steps=self.chains * self.sweeps,
            numbers=numbers,
        )

    def parts_of_cost(self, size: Size) -> tuple[float, float]:
        """Seconds before the first sweep, and of each sweep, of all chains."""
        start = size.n_ratings * START_SECONDS if self.history else 0.0
        sweep = FIXED_SECONDS + size.n_ratings * SWEEP_SECONDS * self.n_factors / 10
        return self.chains * start, self.chains * self.effort * sweep

    def within(self, size: Size, seconds: float) -> Self | None:
        """The same with as many sweeps as take so many seconds; None where those are too few.

        A fifth of them is burn-in, as many draws are kept as at full length where that is possible.
        """
        start, sweep = self.parts_of_cost(size)
        sweeps = min(self.sweeps, int((seconds - start) / sweep))
        if sweeps == self.sweeps:
            return self
        if sweeps < LEAST_SWEEPS:
            return None
        burn_in = sweeps // 5
        thin = max(1, (sweeps - burn_in) // self.plan.passes)
        return replace(self, sweeps=sweeps, burn_in=burn_in, thin=thin)

    def of_chains(self, chains: int) -> Self:
        """The estimator of so many chains."""
        return replace(self, chains=chains)

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
