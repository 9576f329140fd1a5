"""What fits into the minutes and the memory there are, decided before any work.

By estimates alone, so that the answer depends on the data, the machine's cores and the options, and
not on how busy the machine was. One that everybody wants is never dropped for one that few miss:
the baseline and one of each kind come first, then the cheapest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from collab.dataset.dataset import Dataset
from collab.estimators.api import Recipe, Shortens, chains_of, for_release
from collab.estimators.cost import Cost, Size

FIRST = ("bias_only", "fast_dot_product_bias_wd", "als", "bayesian_mf")
REFIT = 1.25  # the champion's recipe learns once more, from all ratings: a fifth more of them


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What all training may take: minutes, GiB of one process, and how many run at once.

    minutes: of the first split and of the champion's refit; None: as long as it takes.
    """

    minutes: float | None
    memory_gib: float
    slots: int


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A recipe, perhaps shortened, and its cost; reason: why it is left out or shortened."""

    recipe: Recipe
    cost: Cost
    fits: bool = True
    reason: str | None = None

    def __str__(self) -> str:
        """For the log."""
        cost = self.cost
        told = (
            f"{self.recipe.name}: {cost.steps:,} steps, {cost.numbers:,} numbers, "
            f"about {cost.seconds:,.1f} s and {cost.mib / 1024:.1f} GiB"
        )
        return f"{told}; {self.reason}" if self.reason else told


def size_of(dataset: Dataset) -> Size:
    """What a dataset's models learn from."""
    return Size(n_ratings=dataset.n_train, n_users=len(dataset.users), n_items=len(dataset.items))


def fit_to(recipes: Sequence[Recipe], size: Size, budget: Budget) -> tuple[list[Planned], "Spent"]:
    """Which recipes are trained, in the order given, and what of the budget that takes."""
    costs = [recipe.estimator.cost(size) for recipe in recipes]
    spent = Spent(budget=budget)
    planned: dict[int, Planned] = {}
    for at in sorted(range(len(recipes)), key=lambda at: rank(recipes[at], costs[at])):
        planned[at] = found = plan_one(recipes[at], costs[at], size, spent)
        spent = spent.with_one(found) if found.fits else spent
    return [planned[at] for at in range(len(recipes))], spent


def rank(recipe: Recipe, cost: Cost) -> tuple[int, float]:
    """The order in which recipes are given their share."""
    first = FIRST.index(recipe.name) if recipe.name in FIRST else len(FIRST)
    return first, cost.seconds


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds of one core that are given away, and the longest refit there may be."""

    budget: Budget
    seconds: float = 0.0
    refit: float = 0.0

    def with_one(self, planned: Planned) -> "Spent":
        """And one more."""
        seconds = planned.cost.seconds
        refit = seconds * refit_factor(planned.recipe, self.budget.slots)
        return replace(self, seconds=self.seconds + seconds, refit=max(self.refit, refit))

    @property
    def wall(self) -> float:
        """Seconds of it all, where every slot is always busy."""
        return self.seconds / self.budget.slots + self.refit

    def left(self, recipe: Recipe) -> float:
        """The most seconds of one core that another recipe may take."""
        if self.budget.minutes is None:
            return float("inf")
        total, slots = self.budget.minutes * 60, self.budget.slots
        refit = refit_factor(recipe, slots)
        both = (total - self.seconds / slots) / (1 / slots + refit)
        shared = (total - self.refit) * slots - self.seconds
        return min(shared, both, (total - self.refit) if not refit else total / (1 + refit))


def refit_factor(recipe: Recipe, slots: int) -> float:
    """How long the refit of a recipe takes, in parts of a fit: none where it supplies no tables.

    The chains of a release run side by side.
    """
    if not recipe.estimator.explains:
        return 0.0
    chains = len(chains_of(for_release(recipe), 0))
    return REFIT * (math.ceil(chains / slots) if chains else 1)


def plan_one(recipe: Recipe, cost: Cost, size: Size, spent: Spent) -> Planned:
    """Whether one recipe fits into what is left, shortened where it can be."""
    gib, budget = cost.mib / 1024, spent.budget
    if gib > budget.memory_gib:
        reason = f"needs about {gib:.1f} GiB, {budget.memory_gib:.1f} are free; raise --memory"
        return Planned(recipe=recipe, cost=cost, fits=False, reason=reason)
    left = spent.left(recipe)
    if cost.seconds <= left:
        return Planned(recipe=recipe, cost=cost)
    estimator = recipe.estimator
    shorter = estimator.within(size, left) if isinstance(estimator, Shortens) else None
    if shorter is not None:
        less = shorter.cost(size)
        reason = f"shortened to {less.steps} of {cost.steps} sweeps; raise --minutes for all"
        return Planned(recipe=replace(recipe, estimator=shorter), cost=less, reason=reason)
    again = " and its refit" if estimator.explains else ""
    reason = (
        f"about {cost.seconds / 60:,.1f} minutes on one core{again} do not fit into the "
        f"{budget.minutes:g} of --minutes"
    )
    return Planned(recipe=recipe, cost=cost, fits=False, reason=reason)
