"""The trials of a search: what decides which are made, and that none is made twice."""

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.protocols import Protocol
from collab.estimators.recipes import RECIPES
from collab.estimators.sgd.estimator import Sgd
from collab.lake import Manifest, ingest
from collab.movielens.editions import ML_100K
from collab.movielens.sources import find_archive
from collab.runs.budget import size_of
from collab.search.search import BATCH, Search
from collab.search.trial import START
from tests.archives import Planted, planted, write_archive
from tests.search.conftest import ALS, Begin, Here, inner_of

FAST = RECIPES["fast_dot_product_bias_wd"]


def told(search: Search) -> list[tuple[object, ...]]:
    """All that a search tried and what came of it."""
    return [
        (tuple(each.trial.values.items()), each.trial.spec.limits, each.errors, each.mse)
        for each in search.tried
    ]


def test_the_present_recipe_is_tried_first_as_it_is(begin: Begin) -> None:
    search = begin(budget=20)
    search.run(Here())
    first = search.tried[0].trial
    assert (first.number, first.spec.recipe, first.spec.limits) == (0, ALS, ())
    assert [each.trial.number for each in search.tried] == list(range(len(search.tried)))
    assert len({tuple(each.trial.values.values()) for each in search.tried}) > BATCH


def test_the_budget_is_in_estimated_cost_and_is_kept(begin: Begin) -> None:
    search = begin()
    search.run(Here())
    assert search.spent <= search.budget
    assert search.spent == pytest.approx(sum(each.seconds for each in search.tried))
    dearest = START + 1.5 * ALS.estimator.cost(size_of(search.place.inner)).seconds
    assert max(each.trial.seconds for each in search.tried) <= dearest
    left = search.budget - search.spent
    assert left < dearest, "there was room for one more"


def test_some_trials_end_early_and_cost_less(begin: Begin) -> None:
    search = begin()
    search.run(Here())
    ended = [each for each in search.tried if not each.complete]
    assert ended
    for each in ended:
        limits = dict(each.trial.spec.limits)
        at = len(each.errors)
        assert each.errors[-1] > limits[at]
        assert all(each.errors[end - 1] <= limits[end] for end in limits if end < at)
        assert START < each.seconds < each.trial.seconds
        assert each not in search.best(len(search.tried))


def test_the_same_seed_gives_the_same_trials_whichever_ends_first(
    begin: Begin, tmp_path: Path
) -> None:
    searches = [begin(runs=tmp_path / name) for name in ("one", "other")]
    for search, backwards in zip(searches, (False, True), strict=True):
        search.run(Here(backwards=backwards))
    assert told(searches[0]) == told(searches[1])
    other = begin(seed=4, budget=30, runs=tmp_path / "one")
    other.run(Here())
    assert told(other)[1:4] != told(searches[0])[1:4]


def test_killed_half_way_and_started_again_it_repeats_nothing(begin: Begin, tmp_path: Path) -> None:
    whole = begin(runs=tmp_path / "undisturbed")
    whole.run(Here())
    killed, again = Here(until=11), Here()
    with pytest.raises(KeyboardInterrupt):
        begin().run(killed)
    search = begin()
    search.run(again)
    assert len(killed.trained) == 11
    assert not set(killed.trained) & set(again.trained)
    assert len(killed.trained) + len(again.trained) == len({*killed.trained, *again.trained})
    assert told(search) == told(whole)
    third = Here()
    begin().run(third)
    assert third.trained == []


def test_rows_that_validate_outside_change_nothing(
    begin: Begin, planted_lake: Manifest, planted_data: DataDir, tmp_path: Path
) -> None:
    outer, _ = make_dataset(planted_lake, Protocol(), planted_data)
    held = set(outer.array("valid_position").tolist())
    ratings = [
        (user, movie, 3.0 if place in held else stars, ts + (7 if place in held else 0))
        for place, (user, movie, stars, ts) in enumerate(planted().ratings)
    ]
    archive = write_archive(tmp_path / "a.zip", ML_100K, Planted(ratings, planted().movies))
    data = DataDir(tmp_path / "data")
    lake, _ = ingest(find_archive(ML_100K, data, archive=archive, trust=True), data)
    assert lake.fingerprint != planted_lake.fingerprint
    searches = [begin(), begin(inner=inner_of(lake, data), runs=tmp_path / "changed")]
    for search in searches:
        search.run(Here())
    assert told(searches[0]) == told(searches[1])
    assert not {each.trial.spec.run_id for each in searches[0].tried} & {
        each.trial.spec.run_id for each in searches[1].tried
    }


def test_a_trial_that_goes_wrong_is_the_worst_and_is_not_tried_again(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, asked = Sgd.fit, list[float]()

    def diverge(self: Sgd, *given: object) -> object:
        if self == FAST.estimator:
            return fit(self, *given)  # type: ignore[arg-type]
        asked.append(self.lr_max)
        raise CollabError("The loss became nan.")

    monkeypatch.setattr(Sgd, "fit", diverge)
    for _ in range(2):
        search = begin(FAST, budget=20)
        search.run(Here())
        assert {(each.mse, each.reason) for each in search.tried[1:]} == {
            (inf, "The loss became nan.")
        }
        assert not search.best(3)
    assert len(asked) == len(search.tried) - 1 == len(set(asked))


@pytest.mark.filterwarnings("ignore:Fixed parameter")
def test_a_present_recipe_that_cannot_be_trained_ends_the_search(begin: Begin) -> None:
    assert isinstance(FAST.estimator, Sgd)
    hot = replace(FAST, estimator=FAST.estimator.but(lr_max=1e30))
    with pytest.raises(CollabError, match=r"fast_dot_product_bias_wd as it is could not .* loss"):
        begin(hot).run(Here())
