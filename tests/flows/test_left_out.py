"""What fails alone: variants, further splits, the report. The rest is published and it is told."""

from pathlib import Path
from typing import Any

import pytest

from collab.base.files import read_json
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from collab.estimators import recipes
from collab.estimators.api import Recipe
from collab.estimators.cost import Cost
from collab.estimators.sgd.estimator import Sgd
from collab.runs.devices import Slot
from collab.runs.launch import ChildDiedError
from flows import plan, undeclared
from tasks import publish, train
from tests.flows.conftest import train_here
from tests.flows.running import run
from tests.published import query

pytestmark = pytest.mark.usefixtures("prefect", "here")

CHAMPION = "dot_product_bias_wd"
DIED = "the training process ended with signal 9"


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a variant that diverges."""
    recipe = Recipe(name="dot_product", estimator=recipes.DOT.but(lr_max=1e38))
    monkeypatch.setitem(recipes.RECIPES, "dot_product", recipe)
    return "dot_product"


@pytest.fixture
def ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variant is said to take 10 s, on a machine where one is trained at a time."""
    cost = Cost(seconds=10, mib=20, steps=1, numbers=2)
    monkeypatch.setattr(Sgd, "cost", lambda self, size: cost)
    monkeypatch.setattr(plan, "find_slots", lambda device: [Slot(kind="cpu", index=0, threads=1)])


def dying(monkeypatch: pytest.MonkeyPatch, *variants: str) -> list[str]:
    """Let some variants' processes die, always; returns the names as they are tried."""
    tried: list[str] = []

    def die(spec: Any, slots: Any, **more: Any) -> Any:
        tried.append(spec.recipe.name)
        if spec.recipe.name in variants:
            raise ChildDiedError(DIED)
        return train_here(spec, slots, **more)

    monkeypatch.setattr(train, "run_in_child", die)
    return tried


def test_a_diverging_variant_is_left_out(
    planted_zip: Path,
    data: DataDir,
    wild: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert run(planted_zip, data, "--variants", f"{wild},{CHAMPION}", "--epochs", "2") == 0
    reason = f"{wild} on random 20%, seed 42: The loss became "
    assert f"Left out: {reason}" in capsys.readouterr().out
    assert f"Left out: {reason}" in caplog.text
    assert query(data, "SELECT variant FROM leaderboard") == [(CHAMPION,)]
    ((told,),) = query(data, "SELECT left_out FROM publish_info")
    assert [line.startswith(reason) for line in told] == [True]
    assert read_json(data.serve / "latest.json")["left_out"] == told


def test_a_dying_variant_is_tried_once_more_and_left_out(
    planted_zip: Path,
    data: DataDir,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = dying(monkeypatch, "embedding_nn")
    assert run(planted_zip, data) == 0
    assert tried.count("embedding_nn") == 2
    reason = f"embedding_nn on random 20%, seed 42: {DIED}"
    assert f"Left out: {reason}" in capsys.readouterr().out
    assert query(data, "SELECT left_out FROM publish_info") == [([reason],)]
    assert query(data, "SELECT variant FROM leaderboard") == [(CHAMPION,)]


def test_without_one_that_supplies_tables_nothing_is_published(
    planted_zip: Path,
    data: DataDir,
    wild: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(planted_zip, data, "--variants", f"{wild},embedding_nn") == 1
    assert "error: None of the variants embedding_nn has factors" in capsys.readouterr().err
    assert not data.serve.exists()


def test_all_of_them_failing_is_an_error_that_names_each(
    planted_zip: Path,
    data: DataDir,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dying(monkeypatch, CHAMPION, "embedding_nn")
    assert run(planted_zip, data) == 1
    printed = capsys.readouterr().err
    assert "error: No variant could be trained:" in printed
    for name in (CHAMPION, "embedding_nn"):
        assert f"\n  - {name} on random 20%, seed 42: {DIED}" in printed
    assert not data.serve.exists()


def test_further_splits_beyond_the_budget_are_left_out_and_named(
    planted_zip: Path,
    data: DataDir,
    capsys: pytest.CaptureFixture[str],
    ten_seconds: None,
) -> None:
    """Twice 10 s and a refit of 12.5 s, and then four times 10 s, one after another."""
    assert run(planted_zip, data, "--splits", "42,1,2", "--minutes", "0.6") == 0
    printed = capsys.readouterr().out
    begin = "further splits (random 20%, seed 1, random 20%, seed 2): about 0.7 minutes more "
    assert f"Left out: {begin}" in printed
    assert "do not fit into the 0.6 of --minutes; raise it" in printed
    ((told,),) = query(data, "SELECT left_out FROM publish_info")
    assert [line.startswith(begin) for line in told] == [True]
    assert query(data, "SELECT chosen_on, expected_sd FROM publish_info") == [
        (["random 20%, seed 42"], None)
    ]


def test_variants_beyond_the_budget_are_left_out_and_named(
    planted_zip: Path,
    data: DataDir,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    ten_seconds: None,
) -> None:
    assert run(planted_zip, data, "--minutes", "0.4") == 0
    reason = "embedding_nn: about 0.2 minutes on one core do not fit into the 0.4 of --minutes"
    assert f"Left out: {reason}" in capsys.readouterr().out
    assert f"Left out: {reason}" in caplog.text
    assert "Planned: dot_product_bias_wd: 1 steps, 2 numbers, about 10.0 s" in caplog.text
    ((told,),) = query(data, "SELECT left_out FROM publish_info")
    assert [line.startswith(reason) for line in told] == [True]
    assert query(data, "SELECT variant FROM leaderboard") == [(CHAMPION,)]


def test_where_nothing_fits_that_is_an_error(
    planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str], ten_seconds: None
) -> None:
    assert run(planted_zip, data, "--minutes", "0.1") == 1
    printed = capsys.readouterr().err
    assert "error: No variant could be trained:" in printed
    assert "dot_product_bias_wd: about 0.2 minutes on one core and its refit do not fit" in printed
    assert run(planted_zip, data, "--minutes", "0") == 1
    assert "--minutes is 0; expected a number above 0" in capsys.readouterr().err
    assert run(planted_zip, data, "--memory", "0.01") == 1
    assert "needs about 0.0 GiB, 0.0 are free; raise --memory" in capsys.readouterr().err


def test_all_variants_are_trained_however_long_that_is(
    planted_zip: Path, data: DataDir, ten_seconds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: recipes.RECIPES[name] for name in (CHAMPION, "embedding_nn")}
    declared = plan.plan(edition="ml-100k", variants=[CHAMPION])
    monkeypatch.setattr(undeclared, "declared_plan", lambda edition: declared)
    monkeypatch.setattr(recipes, "RECIPES", few)
    assert run(planted_zip, data, "--variants", "all", "--minutes", "0.1") == 0
    assert query(data, "SELECT count(*) FROM leaderboard") == [(2,)]


def test_a_report_that_fails_leaves_the_tables_published(
    planted_zip: Path,
    data: DataDir,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(snapshot: object) -> bool:
        raise RuntimeError("no chart today")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "publish_report", fail)
        assert run(planted_zip, data) == 0
    printed = capsys.readouterr().out
    assert "The tables are published, the report failed: no chart today" in printed
    assert query(data, "SELECT count(*) FROM leaderboard") == [(2,)]
    assert not (data.serve / "report.html").exists()
    (entry,) = [e for e in read_journal(data) if e["step"] == "report"]
    assert (entry["outcome"], entry["error"]) == ("failed", "no chart today")

    assert run(planted_zip, data) == 0  # the report alone is made by the next run
    assert "the report failed" not in capsys.readouterr().out
    assert (data.serve / "report.html").exists()
    assert read_json(data.serve / "latest.json")["seq"] == 1
