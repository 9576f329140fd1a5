"""Whether what a search found is better than what is there.

The best trials are trained again with other seeds, for one of many may have had luck; the best of
them, by its mean, is held against the present recipe on a second inner split, which no trial saw.
"""

from dataclasses import dataclass, replace
from math import inf
from statistics import mean

from collab.base.errors import CollabError
from collab.dataset.dataset import Dataset
from collab.estimators.api import Recipe
from collab.evaluation.judged import judge
from collab.evaluation.paired import Difference, paired_difference
from collab.runs.record import Run
from collab.runs.spec import RunSpec
from collab.search.search import Place, Search
from collab.search.trial import START, Train, Tried

FINALISTS = 3
MORE_SEEDS = (1, 2)  # added to the search's
RUNS = (FINALISTS + 1) * len(MORE_SEEDS) + 2  # that are made after the trials, at most


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search came to.

    search: its trials.
    best: the best by the mean over three seeds; the present recipe is trial 0.
    means: of the finalists by trial number, the present recipe's included.
    difference: of the best from the present recipe on the second inner split; None where the
        present one is the best.
    """

    search: Search
    best: Tried
    means: dict[int, float]
    difference: Difference | None = None

    @property
    def proposed(self) -> Recipe | None:
        """The recipe to take, surely better than the present one; None: that one stays."""
        if self.difference is None or self.difference.high >= 0:
            return None
        return self.best.trial.spec.recipe


def reserved(place: Place, recipe: Recipe) -> float:
    """Estimated seconds of all that comes after the trials."""
    return RUNS * (START + place.max_cost * (place.seconds(recipe.estimator) - START))


def begin(recipe: Recipe, place: Place, seconds: float) -> Search:
    """A search that leaves enough of its budget for the confirmation.

    Raises:
        CollabError: so little is no budget.
    """
    room = seconds - reserved(place, recipe)
    least = 2 * place.seconds(recipe.estimator)
    if room < least:
        need = (seconds - room + least) / 60
        raise CollabError(
            f"Searching {recipe.name} on {place.inner.edition} takes at least {need:.1f} estimated "
            f"minutes, {seconds / 60:.1f} are there; raise --minutes or name fewer variants."
        )
    return Search(recipe, place, room)


def confirm(search: Search, second: Dataset, train: Train) -> Found:
    """Judge the finalists, and the best of them on a split of its own.

    Raises:
        CollabError: training was interrupted, or the best fails on the second split.
    """
    finalists = [search.tried[0], *search.best(FINALISTS)]
    seeds = [search.place.seed + more for more in MORE_SEEDS]
    again = [replace(whole(each), seed=seed) for each in finalists for seed in seeds]
    mses = [inf if isinstance(run, str) else judge(run).mse for run in train(again)]
    means = {
        each.trial.number: mean([each.mse, *mses[at * len(seeds) : (at + 1) * len(seeds)]])
        for at, each in enumerate(finalists)
    }
    best = min(finalists, key=lambda each: (means[each.trial.number], each.trial.number))
    if best is finalists[0]:
        return Found(search=search, best=best, means=means)
    pair = [replace(whole(each), dataset=second.path) for each in (best, finalists[0])]
    ours, present = (judge(run) for run in require_runs(pair, train))
    return Found(search=search, best=best, means=means, difference=paired_difference(ours, present))


def whole(each: Tried) -> RunSpec:
    """The run of a trial without limits."""
    return replace(each.trial.spec, limits=())


def require_runs(specs: list[RunSpec], train: Train) -> list[Run]:
    """Runs that all have to be trained.

    Raises:
        CollabError: one could not be.
    """
    results = train(specs)
    for spec, result in zip(specs, results, strict=True):
        if isinstance(result, str):
            raise CollabError(f"{spec.run_id} could not be trained: {result}")
    return [result for result in results if isinstance(result, Run)]
