"""Chains of one model, each a run of its own, and the run that is merged from them."""

from pathlib import Path
from typing import Any

import pytest

from collab.base.paths import DataDir
from collab.estimators import recipes
from collab.estimators.api import Recipe
from collab.estimators.bayes import BayesianMF
from collab.runs.launch import ChildDiedError
from tasks import train
from tests.flows.conftest import train_here
from tests.flows.running import run
from tests.published import query

pytestmark = pytest.mark.usefixtures("prefect", "here")

SHORT = Recipe(
    name="bayesian_mf", estimator=BayesianMF(n_factors=2, sweeps=20, burn_in=8, thin=4, columns=8)
)
TWO = ("--variants", "bayesian_mf,dot_product_bias_wd", "--chains", "2", "--seed", "5")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of a few sweeps."""
    monkeypatch.setitem(recipes.RECIPES, "bayesian_mf", SHORT)


def test_chains_are_runs_and_their_merger_is_on_the_leaderboard(
    planted_zip: Path, data: DataDir
) -> None:
    assert run(planted_zip, data, *TWO) == 0
    found = query(
        data,
        "SELECT role, seed, epochs FROM runs WHERE variant = 'bayesian_mf' "
        "AND split_name LIKE 'random%' ORDER BY role, seed",
    )
    assert found == [("history", 5, 3), ("history", 6, 3), ("leaderboard", 5, 2)]
    assert query(data, "SELECT count(*) FROM leaderboard") == [(2,)]


def test_a_release_has_three_chains(planted_zip: Path, data: DataDir) -> None:
    """Of a recipe of one chain; what stands on the leaderboard is that one."""
    assert run(planted_zip, data, "--variants", "bayesian_mf", "--seed", "5") == 0
    found = query(data, "SELECT role, protocol, seed, epochs FROM runs ORDER BY ALL")
    assert found == [
        ("history", "all", 5, 3),
        ("history", "all", 6, 3),
        ("history", "all", 7, 3),
        ("leaderboard", "random", 5, 3),
        ("release", "all", 5, 3),
    ]
    ((draws,),) = query(data, "SELECT count(*) FROM movie_bias WHERE sd > 0")
    assert draws > 0


def test_without_one_of_its_chains_a_model_is_left_out(
    planted_zip: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(spec: Any, slots: Any, **more: Any) -> Any:
        if spec.seed == 6:
            raise ChildDiedError("it died")
        return train_here(spec, slots, **more)

    monkeypatch.setattr(train, "run_in_child", die)
    assert run(planted_zip, data, *TWO) == 0
    assert query(data, "SELECT left_out FROM publish_info") == [
        (["bayesian_mf on random 20%, seed 42: it died"],)
    ]
    assert query(data, "SELECT variant FROM leaderboard") == [("dot_product_bias_wd",)]
