"""The whole pipeline through Prefect on planted archives."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from collab.base.files import read_json
from collab.base.paths import DataDir
from collab.cli.app import option_names
from collab.movielens.editions import ML_10M
from collab.runs.launch import ChildDiedError, run_in_child
from flows.pipeline import app
from tasks import train
from tests.archives import N_MOVIES, N_USERS, Planted, planted, write_archive
from tests.flows.conftest import train_here
from tests.flows.running import run
from tests.published import query

pytestmark = pytest.mark.usefixtures("prefect", "here")


def test_from_archive_to_tables(
    planted_zip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train, "run_in_child", run_in_child)  # as in earnest
    data = DataDir(tmp_path / "day=3" / "my work [x]*")  # no pattern, no column and no markup
    assert run(planted_zip, data) == 0
    printed = capsys.readouterr().out
    assert f"Report: {data.serve}/ml-100k/report.html\n" in printed
    assert "dot_product_bias_wd *" in printed
    assert "trained 3 of 3 (0 were there)" in printed
    n = len(planted().ratings)
    assert query(data, "SELECT variant FROM leaderboard ORDER BY ALL") == [
        ("dot_product_bias_wd",),
        ("embedding_nn",),
    ]
    counts = {
        "runs": 3,  # two on the first split, and the champion's recipe on all ratings
        "metrics": 2 * (5 + 4) + 2,  # on all ratings there are no errors to measure
        "standings": 2,
        "movies": N_MOVIES,
        "users": N_USERS,
        "ratings": n,
        "user_bias": N_USERS,
        "movie_bias": N_MOVIES - 1,  # two movie ids are one title
        "movie_similarity": (N_MOVIES - 1) * (N_MOVIES - 2),
        "movie_pca": N_MOVIES - 1,
        "predictions": 2 * (n // 5),
    }
    for table, expected in counts.items():
        assert query(data, f"SELECT count(*) FROM {table}") == [(expected,)], table
        parquet = pd.read_parquet(data.serve / "parquet" / f"{table}.parquet")
        assert len(parquet) == expected, table
    assert query(data, "SELECT DISTINCT variant FROM movie_bias JOIN runs USING (run_id)") == [
        ("dot_product_bias_wd",)
    ]
    assert query(
        data, "SELECT count(*) FROM check_results WHERE severity = 'error' AND NOT passed"
    ) == [(0,)]
    assert f"What {n} ratings tell about" in (data.serve / "report.html").read_text("utf-8")


def test_a_second_run_does_nothing_and_says_so(
    planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(planted_zip, data) == 0
    before = sorted((p, p.stat().st_mtime_ns) for p in data.root.rglob("*.parquet"))
    capsys.readouterr()
    assert run(planted_zip, data) == 0
    assert "Nothing has changed" in capsys.readouterr().out
    assert sorted((p, p.stat().st_mtime_ns) for p in data.root.rglob("*.parquet")) == before
    assert run(planted_zip, data, "--force") == 0
    assert "parsed and checked; trained 3 of 3" in capsys.readouterr().out
    assert read_json(data.serve / "latest.json")["seq"] == 2


def test_only_what_is_missing_is_trained(
    planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(planted_zip, data) == 0
    (weights,) = data.runs.glob("*embedding_nn*/model.safetensors")
    weights.unlink()
    capsys.readouterr()
    assert run(planted_zip, data) == 0
    assert "trained 1 of 3 (2 were there)" in capsys.readouterr().out


def test_the_smallest_archive_that_is_accepted(tmp_path: Path, data: DataDir) -> None:
    pairs = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]
    ratings = [(user, movie, 4.0, 900_000_000 + user) for user, movie in pairs]
    archive = write_archive(tmp_path / "a.zip", ML_10M, Planted(ratings, planted().movies[:2]))
    assert run(archive, data, "--edition", "ml-10m") == 0
    assert query(data, "SELECT item_id, neighbor_id FROM movie_similarity ORDER BY ALL") == [
        (1, 2),
        (2, 1),
    ]


def test_another_layout_end_to_end(tmp_path: Path, data: DataDir) -> None:
    archive = write_archive(tmp_path / "ml-10m.zip", ML_10M)
    assert run(archive, data, "--edition", "ml-10m") == 0
    assert query(data, "SELECT edition, champion_run_id IS NOT NULL FROM publish_info") == [
        ("ml-10m", True)
    ]
    assert query(data, f"SELECT item_id FROM movies WHERE movie_id = {N_MOVIES}") == [(N_MOVIES,)]


def test_a_dead_child_is_tried_again_alone(
    planted_zip: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def die_once(spec, slots, **more):  # type: ignore[no-untyped-def]
        calls.append(spec.recipe.name)
        if calls.count("embedding_nn") == 1 and spec.recipe.name == "embedding_nn":
            raise ChildDiedError("signal 9")
        return train_here(spec, slots, **more)

    monkeypatch.setattr(train, "run_in_child", die_once)
    assert run(planted_zip, data) == 0
    champion, other = "dot_product_bias_wd", "embedding_nn"
    assert sorted(calls) == [champion, champion, other, other]  # the champion's recipe on all too


def test_help_needs_no_server() -> None:
    command = [sys.executable, "-m", "flows.pipeline", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    options = {"--edition", "--archive", "--data-dir", "--seed", "--variants", "--epochs",
               "--device", "--trust-archive", "--force", "--item-key", "--max-regression",
               "--no-gate"}  # fmt: skip
    assert options < option_names(app)
    for option in option_names(app):
        assert option in done.stdout
    assert "Starting temporary server" not in done.stderr


def test_runs_of_another_seed_become_history(planted_zip: Path, data: DataDir) -> None:
    assert run(planted_zip, data) == 0
    assert run(planted_zip, data, "--seed", "7") == 0
    assert query(data, "SELECT seed, is_current FROM runs ORDER BY ALL") == [
        (7, False),  # on all ratings, for the tables
        (7, True),
        (7, True),
        (42, False),
        (42, False),
        (42, False),
    ]


def test_a_much_worse_champion_is_refused_unless_told_otherwise(
    planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(planted_zip, data, "--epochs", "20") == 0
    capsys.readouterr()
    assert run(planted_zip, data) == 1  # one epoch
    refused = capsys.readouterr().err
    assert re.search(r"worse \(95 % interval \S+ % to \S+ %\) than", refused)
    assert "--max-regression" in refused
    assert read_json(data.serve / "latest.json")["seq"] == 1
    assert run(planted_zip, data, "--no-gate") == 0
    latest = read_json(data.serve / "latest.json")
    assert (latest["seq"], latest["max_regression"], latest["compared_with"]) == (2, None, 1)


def test_a_limit_that_means_nothing_is_refused_at_the_door(
    planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(planted_zip, data, "--max-regression", "-1") == 1
    assert "max_regression is -1" in capsys.readouterr().err
    assert not data.root.exists()
