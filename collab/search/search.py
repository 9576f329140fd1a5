"""The trials of one variant, within a budget of estimated seconds."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from collab.base.errors import CollabError
from collab.dataset.dataset import Dataset
from collab.estimators.api import Estimator, Recipe
from collab.estimators.space import Span, Values, spans_of, values_of, with_values
from collab.runs.budget import size_of
from collab.runs.spec import RunSpec
from collab.search.study import Asked, Study, limits_of
from collab.search.trial import START, Train, Trial, Tried, tried

BATCH = 8  # trials asked for at once; on more devices than that the others wait
TRIES = 200  # to find one that is not too dear

log = logging.getLogger(__name__)

OnProgress = Callable[[float], None]  # the part of the budget that is spent


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and how trials are made.

    inner: the inner split they are judged on.
    runs: the folder of their runs.
    seed: of the search, and of their weights and shuffling.
    device: `cpu`, `cuda` or `mps`.
    max_cost: how many times the estimated cost of the present recipe one may have.
    """

    inner: Dataset
    runs: Path
    seed: int
    device: str
    max_cost: float

    def spec(self, recipe: Recipe) -> RunSpec:
        """The run of a recipe on the inner split."""
        return RunSpec(
            dataset=self.inner.path,
            runs=self.runs,
            recipe=recipe,
            seed=self.seed,
            device=self.device,
        )

    def seconds(self, estimator: Estimator) -> float:
        """What a run is estimated to cost, the start of its child included."""
        return START + estimator.cost(size_of(self.inner)).seconds


@dataclass
class Search:
    """What is tried of one variant; `tried[0]` is the present recipe.

    budget: estimated seconds.
    """

    present: Recipe
    place: Place
    budget: float
    tried: list[Tried] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin a study."""
        self.study = Study(self.spans, values_of(self.present.estimator), self.place.seed)
        self.dearest = START + self.place.max_cost * (self.present_seconds - START)

    @property
    def spans(self) -> dict[str, Span]:
        """What is searched."""
        estimator = self.present.estimator
        return {name: spans_of(estimator)[name] for name in values_of(estimator)}

    @property
    def present_seconds(self) -> float:
        """What a run of the present recipe is estimated to cost."""
        return self.place.seconds(self.present.estimator)

    @property
    def spent(self) -> float:
        """Estimated seconds of all that was tried."""
        return sum(each.seconds for each in self.tried)

    def run(self, train: Train, on_progress: OnProgress = lambda part: None) -> None:
        """Try until the budget is spent: the present recipe first, then batches.

        Raises:
            CollabError: the present recipe cannot be trained, or training was interrupted.
        """
        self.make([(self.study.ask(), self.trial(0, None))], train)
        if reason := self.tried[0].reason:
            raise CollabError(f"{self.present.name} as it is could not be trained: {reason}")
        while batch := self.next_batch():
            self.make(batch, train)
            on_progress(min(1.0, self.spent / self.budget))
            log.info(self.state())
        on_progress(1.0)

    def make(self, batch: list[tuple[Asked, Trial]], train: Train) -> None:
        """Make the trials of a batch, and tell what came of them in their order."""
        results = train([trial.spec for _, trial in batch])
        for (asked, trial), result in zip(batch, results, strict=True):
            done = tried(trial, result)
            self.study.tell(asked, done.mse, trial.passes, done.errors)
            self.tried.append(done)

    def next_batch(self) -> list[tuple[Asked, Trial]]:
        """The next trials that are not too dear, as many as the budget has room for."""
        batch: list[tuple[Asked, Trial]] = []
        left = self.budget - self.spent
        for _ in range(TRIES):
            if len(batch) == BATCH:
                break
            asked = self.study.ask()
            trial = self.trial(len(self.tried) + len(batch), asked.values)
            if trial.seconds > self.dearest:
                self.study.refuse(asked)
                continue
            left -= trial.seconds
            if left < 0:
                self.study.refuse(asked)
                break
            batch.append((asked, trial))
        return batch

    def trial(self, number: int, values: Values | None) -> Trial:
        """A trial with some values; None: the present ones."""
        recipe = self.present
        if values is not None:
            recipe = replace(recipe, estimator=with_values(recipe.estimator, values))
        seen = [(each.trial.passes, each.errors) for each in self.tried]
        limits = limits_of(recipe.estimator.passes, seen)
        return Trial(
            number=number,
            values=values_of(recipe.estimator),
            spec=replace(self.place.spec(recipe), limits=limits),
            seconds=self.place.seconds(recipe.estimator),
        )

    def best(self, n: int) -> list[Tried]:
        """The best complete trials besides the present recipe."""
        complete = [each for each in self.tried[1:] if each.complete]
        return sorted(complete, key=lambda each: (each.mse, each.trial.number))[:n]

    def state(self) -> str:
        """One line on how far it is."""
        ended = sum(not each.complete for each in self.tried)
        best = self.best(1)
        so_far = f"best MSE {best[0].mse:.4f} in trial {best[0].trial.number}" if best else "none"
        return (
            f"{self.present.name}: {100 * self.spent / self.budget:.0f} % of the budget, "
            f"{len(self.tried)} trials ({ended} ended early), {so_far}, "
            f"as it is {self.tried[0].mse:.4f}"
        )
