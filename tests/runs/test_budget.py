"""What fits into minutes and memory, and in which order it is given its share."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from collab.dataset.dataset import Dataset
from collab.estimators.api import Recipe
from collab.estimators.bayes import BayesianMF
from collab.estimators.cost import Cost, Size
from collab.estimators.recipes import RECIPES, get_recipes
from collab.runs.budget import Budget, Planned, fit_to, refit_factor, size_of

SMALL = Size(n_ratings=80_000, n_users=944, n_items=1_665)
LARGE = Size(n_ratings=25_600_000, n_users=200_949, n_items=84_000)


@dataclass(frozen=True, kw_only=True)
class Priced:
    """An estimator of a known cost."""

    uses_time: ClassVar[bool] = False
    seconds: float
    gib: float = 1.0
    explains: bool = False

    def cost(self, size: Size) -> Cost:
        return Cost(seconds=self.seconds, mib=self.gib * 1024, steps=1, numbers=1)


def recipe(name: str, seconds: float, **more: Any) -> Recipe:
    return Recipe(name=name, estimator=Priced(seconds=seconds, **more))  # type: ignore[arg-type]


def fitting(
    recipes: list[Recipe], minutes: float | None, slots: int = 2, size: Size = SMALL
) -> dict[str, Planned]:
    budget = Budget(minutes=minutes, memory_gib=4.0, slots=slots)
    return {planned.recipe.name: planned for planned in fit_to(recipes, size, budget)[0]}


def test_the_cheapest_come_first_until_the_minutes_are_given_away() -> None:
    """Two slots of 60 s: 20 + 30 + 50 fit, and 40 more do not."""
    recipes = [recipe("d", 60), recipe("c", 50), recipe("b", 30), recipe("a", 20)]
    found = fitting(recipes, minutes=1)
    assert list(found) == ["d", "c", "b", "a"]
    assert [name for name, planned in found.items() if planned.fits] == ["c", "b", "a"]
    reason = found["d"].reason or ""
    assert reason.startswith("about 1.0 minutes on one core do not fit into the 1 of --minutes")


def test_the_baseline_and_one_of_each_kind_come_before_what_is_cheaper() -> None:
    recipes = [recipe("cheap", 30), recipe("als", 100), recipe("bias_only", 10)]
    found = fitting(recipes, minutes=1, slots=2)
    assert not found["als"].fits  # no slot has more than 60 s
    recipes = [recipe("cheap", 61), recipe("als", 50), recipe("bias_only", 10)]
    found = fitting(recipes, minutes=1, slots=2)
    assert [name for name, planned in found.items() if planned.fits] == ["als", "bias_only"]


def test_one_that_may_be_champion_must_leave_room_for_its_refit() -> None:
    """It learns once more from all ratings: 1.25 of its time after all others have ended."""
    assert fitting([recipe("a", 44, explains=False)], minutes=1)["a"].fits
    assert fitting([recipe("a", 26, explains=True)], minutes=1)["a"].fits  # 26 * 2.25 = 58.5
    found = fitting([recipe("a", 28, explains=True)], minutes=1)["a"]
    assert "on one core and its refit do not fit" in (found.reason or "")
    both = [recipe("a", 20, explains=True), recipe("b", 58)]  # 25 s of refit, then 35 s at most
    assert [p.fits for p in fitting(both, minutes=1).values()] == [True, False]


def test_the_chains_of_a_release_run_side_by_side() -> None:
    """Three of them: on one slot 3 fits of a quarter more, on two 2, on four 1; als has none."""
    sampled, solved = RECIPES["bayesian_mf"], RECIPES["als"]
    assert [refit_factor(sampled, slots) for slots in (1, 2, 4)] == [3.75, 2.5, 1.25]
    assert refit_factor(solved, 2) == 1.25
    assert refit_factor(RECIPES["bias_only"], 2) == 0.0


def test_what_needs_more_memory_than_is_free_is_left_out_however_many_minutes() -> None:
    found = fitting([recipe("wide", 1, gib=5.0)], minutes=None)["wide"]
    assert not found.fits
    assert found.reason == "needs about 5.0 GiB, 4.0 are free; raise --memory"


def test_without_a_limit_everything_is_trained() -> None:
    assert all(planned.fits for planned in fitting([recipe("a", 1e9)], minutes=None).values())


def test_a_sampler_takes_the_sweeps_there_is_time_for() -> None:
    full = RECIPES["bayesian_mf"]
    assert fitting([full], minutes=5)["bayesian_mf"].recipe == full
    size = Size(n_ratings=8_000_000, n_users=69_879, n_items=10_670)
    found = fitting([full], minutes=13, size=size)["bayesian_mf"]
    shorter = found.recipe.estimator
    assert isinstance(shorter, BayesianMF)
    assert 40 <= shorter.sweeps < 200
    assert shorter.burn_in == shorter.sweeps // 5
    assert found.fits
    assert 12.5 * 60 < found.cost.seconds * 3.5 <= 13 * 60  # three chains on two slots at the end
    assert found.reason == (f"shortened to {shorter.sweeps} of 200 sweeps; raise --minutes for all")
    assert not fitting([full], minutes=1, size=size)["bayesian_mf"].fits


def test_a_sampler_of_no_sweeps_is_none() -> None:
    assert BayesianMF().within(LARGE, 10.0) is None


@pytest.mark.parametrize("name", RECIPES)
def test_estimates_grow_with_the_data(name: str) -> None:
    estimator = RECIPES[name].estimator
    small, large = estimator.cost(SMALL), estimator.cost(LARGE)
    assert 0 < small.seconds < large.seconds
    assert 300 < small.mib < large.mib
    assert 0 < small.numbers < large.numbers


def test_faithful_training_grows_with_rows_times_tables() -> None:
    """Each of the steps, which are as many as rows, changes every number of the tables."""
    estimator = RECIPES["dot_product_bias_wd"].estimator
    small, large = estimator.cost(SMALL), estimator.cost(LARGE)
    assert small.steps == 5 * (80_000 // 64)
    assert small.numbers == (944 + 1_665) * 51
    assert large.seconds / small.seconds > 0.3 * (320 * 109)


def test_the_default_is_whole_on_a_small_edition_and_not_on_a_large_one() -> None:
    assert all(planned.fits for planned in fitting(get_recipes(), 5).values())
    found = fitting(get_recipes(), 5, size=LARGE)
    assert found["bias_only"].fits
    assert found["fast_dot_product_bias_wd"].fits
    assert not found["dot_product_bias_wd"].fits


def test_the_size_is_that_of_the_training_rows(planted_dataset: Dataset) -> None:
    size = size_of(planted_dataset)
    assert size.n_ratings == planted_dataset.n_train
    assert (size.n_users, size.n_items) == (
        planted_dataset.n_users + 1,
        planted_dataset.n_items + 1,
    )
