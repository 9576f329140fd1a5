"""A champion that says no more than means do is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from collab.base.paths import DataDir
from collab.movielens.editions import ML_100K
from tasks import train
from tests.archives import planted, write_archive
from tests.flows.conftest import train_here
from tests.flows.running import run
from tests.published import query

LONG = ("--variants", "dot_product_bias_wd", "--epochs", "150")


@pytest.fixture(autouse=True)
def gated(prefect: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in this process, all gates as they are."""
    monkeypatch.setattr(train, "run_in_child", train_here)


@pytest.fixture
def plain_zip(tmp_path: Path) -> Path:
    """An archive in which all users agree on every movie."""
    rows = planted()
    ratings = [(user, movie, 5.0 if movie % 2 else 1.0, ts) for user, movie, _, ts in rows.ratings]
    return write_archive(tmp_path / "plain.zip", ML_100K, replace(rows, ratings=ratings))


def test_one_that_learnt_nothing_is_refused_and_one_that_did_is_published(
    plain_zip: Path, planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where all agree on every movie nothing beats means; where tastes differ they are lost."""
    assert run(plain_zip, data, "--variants", "dot_product_bias_wd") == 1
    printed = capsys.readouterr().err
    assert "error: The champion ml-100k-dot_product_bias_wd-" in printed
    assert "and user and item means have" in printed
    assert not (data.serve / "current").exists()

    assert run(planted_zip, data, *LONG) == 0
    ((value, low, high),) = query(
        data, "SELECT baseline, baseline_low, baseline_high FROM publish_info"
    )
    assert low <= value <= high < 0
    assert query(data, "SELECT variant FROM leaderboard") == [("dot_product_bias_wd",)]
    roles = query(data, "SELECT DISTINCT role FROM runs WHERE variant = 'bias_only'")
    assert roles == [("history",)]


def test_without_the_gate_it_is_published_and_the_difference_recorded(
    plain_zip: Path, data: DataDir
) -> None:
    quick = ("--variants", "dot_product_bias_wd,bias_only", "--no-gate")
    assert run(plain_zip, data, *quick) == 0
    ((high, limit),) = query(data, "SELECT baseline_high, max_regression FROM publish_info")
    assert high > 0
    assert limit is None
    assert query(data, "SELECT role FROM runs WHERE variant = 'bias_only'") == [("leaderboard",)]
