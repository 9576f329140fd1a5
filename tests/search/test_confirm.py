"""Whether what is found is better: on more seeds, and on a split of its own."""

import csv
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.dataset import Dataset
from collab.estimators.als import Als
from collab.evaluation.judged import judge
from collab.evaluation.paired import Difference
from collab.lake import Manifest
from collab.runs.record import Run
from collab.runs.spec import RunSpec
from collab.search.confirm import FINALISTS, RUNS, confirm
from collab.search.confirm import begin as begin_within
from collab.search.write import DIFF, TABLE, TRIALS, write_found
from tests.search.conftest import ALS, Begin, Here, inner_of

POOR = replace(ALS, estimator=Als(ridge=20.0, ridge_share=2.0, ridge_power=1.0, n_factors=40))


@pytest.fixture
def second(planted_lake: Manifest, planted_data: DataDir) -> Dataset:
    """The split that no trial sees."""
    return inner_of(planted_lake, planted_data, 2)


class Noted(Here):
    """Keeps what is asked of it."""

    def __call__(self, specs: list[RunSpec]) -> list[Run | str]:
        self.specs = [*getattr(self, "specs", []), *specs]
        return super().__call__(specs)


def test_a_recipe_that_is_far_off_is_replaced(
    begin: Begin, second: Dataset, tmp_path: Path
) -> None:
    search = begin(POOR)
    search.run(Here())
    train = Noted()
    found = confirm(search, second, train)
    assert found.proposed
    assert found.proposed.estimator == found.best.trial.spec.recipe.estimator != POOR.estimator
    assert found.difference
    assert found.difference.high < 0
    assert len(train.specs) == RUNS
    assert {spec.limits for spec in train.specs} == {()}
    on_second = [spec for spec in train.specs if spec.dataset == second.path]
    assert [spec.recipe.estimator for spec in on_second] == [
        found.proposed.estimator,
        POOR.estimator,
    ]


def test_the_best_is_so_by_its_mean_over_three_seeds(begin: Begin, second: Dataset) -> None:
    search = begin(POOR)
    search.run(Here())
    train = Noted()
    found = confirm(search, second, train)
    finalists = [search.tried[0], *search.best(FINALISTS)]
    assert set(found.means) == {each.trial.number for each in finalists}
    runs = dict(zip((spec.run_id for spec in train.specs), train(train.specs), strict=True))
    for each in finalists:
        seeds = [replace(each.trial.spec, limits=(), seed=seed) for seed in (4, 5)]
        errors = [judge(run).mse for s in seeds if isinstance(run := runs[s.run_id], Run)]
        assert found.means[each.trial.number] == pytest.approx(mean([each.mse, *errors]))
    assert found.means[found.best.trial.number] == min(found.means.values())


def test_what_is_not_surely_better_is_not_proposed(begin: Begin, second: Dataset) -> None:
    search = begin(POOR, budget=20)
    search.run(Here())
    found = confirm(search, second, Here())
    unsure = Difference(value=-0.1, low=-0.2, high=0.0)
    assert replace(found, difference=unsure).proposed is None
    assert replace(found, difference=None).proposed is None
    assert replace(found, difference=replace(unsure, high=-1e-9)).proposed


def test_a_present_recipe_that_nothing_beats_stays(
    begin: Begin, second: Dataset, tmp_path: Path
) -> None:
    search = begin(POOR, budget=20)
    search.run(Here())
    search.tried = search.tried[:1]
    train = Noted()
    found = confirm(search, second, train)
    assert (found.best.trial.number, found.proposed) == (0, None)
    assert not [spec for spec in train.specs if spec.dataset == second.path]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / DIFF).touch()  # of an earlier version
    assert write_found(tmp_path / "out", [found]) == []
    assert not (tmp_path / "out" / DIFF).exists()
    assert "| als | 1 |" in (tmp_path / "out" / TABLE).read_text()
    assert "no better" in (tmp_path / "out" / TABLE).read_text()


def test_every_trial_is_told(begin: Begin, second: Dataset, tmp_path: Path) -> None:
    search = begin(POOR)
    search.run(Here())
    found = confirm(search, second, Here())
    (proposed,) = write_found(tmp_path, [found])
    assert proposed.chosen_on == "training rows of ml-100k, random-42 (flows.search)"
    with (tmp_path / TRIALS).open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == list(range(len(search.tried)))
    assert [float(row["mse"]) for row in rows] == [each.mse for each in search.tried]
    for row in rows:
        assert (search.place.runs / row["run_id"]).is_dir()
    text = (tmp_path / TABLE).read_text()
    assert f"trial {found.best.trial.number} is better" in text
    assert (tmp_path / DIFF).read_text().startswith("--- a/collab/estimators/recipes.py\n")


def test_a_budget_without_room_for_the_end_is_refused(begin: Begin) -> None:
    place = begin().place
    with pytest.raises(CollabError, match=r"takes at least 0\.4 estimated minutes, 0\.1 are there"):
        begin_within(ALS, place, 6.0)
    assert 0 < begin_within(ALS, place, 30.0).budget < 30 - 2 * RUNS
