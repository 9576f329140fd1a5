"""The search as a command: what it writes and says, what it refuses, and a kill half way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL

from collab.base.errors import CollabError
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from collab.cli.app import option_names
from collab.estimators.recipes import BOOK, DEFAULT, RECIPES
from collab.runs.devices import Slot
from collab.runs.record import Run, load_run
from collab.runs.spec import RunSpec
from collab.runs.train import train_run
from collab.search import study
from collab.search.write import TABLE, TRIALS
from flows.search import app, main
from flows.search_plan import plan
from tasks import search as tasks

VARIANTS = "bias_only,fast_dot_product"
QUICK = ["--variants", VARIANTS, "--minutes", "1.5", "--device", "cpu", "--trust-archive"]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Train in this process; what was trained, and not found."""
    made: list[str] = []

    def train_here(spec: RunSpec, slots: list[Slot]) -> tuple[Run, bool]:
        if now := train_run(spec):
            made.append(spec.run_id)
        return load_run(spec.folder), now

    monkeypatch.setattr(tasks, "run_in_child", train_here)
    return made


def arguments(archive: Path, data: DataDir) -> list[str]:
    """Of a quick search."""
    return ["--archive", str(archive), "--data-dir", str(data.root), *QUICK]


@pytest.mark.usefixtures("prefect")
def test_a_search_from_the_command_line(
    planted_zip: Path, data: DataDir, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(planted_zip, data)) == 0
    (folder,) = data.search.glob("ml-100k-*")
    printed = capsys.readouterr().out
    text = (folder / TABLE).read_text()
    for name in VARIANTS.split(","):
        assert name in printed
        assert f"| {name} |" in text
    assert f"{folder / TABLE}" in printed.replace("\n", "")
    assert (folder / TRIALS).exists()
    assert len(trained) == len(set(trained)) > 16
    assert {path.name for path in data.trials.glob("[!.]*")} == set(trained)
    assert not data.runs.exists(), "no trial is a candidate for publication"
    (entry,) = [entry for entry in read_journal(data) if entry["step"] == "search"]
    assert entry["where"] == f"search/{folder.name}"
    records = [json.loads((data.trials / run / "run.json").read_text()) for run in trained]
    assert {record["protocol"]["inner"] for record in records} <= {1, 2}

    before, content = list(trained), {p.name: p.read_bytes() for p in folder.iterdir()}
    assert main(arguments(planted_zip, data)) == 0
    assert trained == before, "a second start finds what the first one made"
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == content


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--variants", "dot_product"], "The settings of dot_product are the book's own"),
        (["--variants", "homework"], "The settings of cross_entropy are the book's own"),
        (["--variants", "alz"], "Did you mean als?"),
        (["--edition", "ml-100"], "Did you mean ml-100k?"),
        (["--minutes", "0"], "--minutes 0 and --max-cost 1.5: both are above 0"),
        (["--max-cost", "-1"], "--max-cost -1: both are above 0"),
        (["--protocol", "all"], "leaves nothing out to judge by later"),
        (["--seed", "-1"], "The seed is -1"),
        (["--device", "cpu:7"], "Unknown device"),
    ],
)
def test_what_is_refused_at_the_door(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 1
    assert message in capsys.readouterr().err


def test_without_optuna_it_says_so_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise CollabError("The search needs Optuna")

    monkeypatch.setattr("flows.search_plan.require_optuna", missing)
    assert study.require_optuna()
    assert main([]) == 1
    assert capsys.readouterr().err == "error: The search needs Optuna\n"


def test_by_default_it_searches_what_is_trained_by_default_and_not_the_books() -> None:
    names = [recipe.name for recipe in plan().recipes]
    assert names == [name for name in DEFAULT if RECIPES[name].chosen_on != BOOK]
    assert {"als", "bayesian_mf", "fast_collab_nn"} <= set(names)


def test_the_options_are_those_of_the_flow_and_the_runner() -> None:
    assert {"--edition", "--variants", "--minutes", "--max-cost", "--runner"} <= option_names(app)


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_killed_half_way_and_started_again(planted_zip: Path, tmp_path: Path) -> None:
    command: list[Any] = [sys.executable, "-m", "flows.search"]
    data = DataDir(tmp_path / "data")
    command += arguments(planted_zip, data)
    environment = {**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value())}
    process = subprocess.Popen(command, start_new_session=True, env=environment)
    deadline = time.monotonic() + 300
    while len(list(data.trials.glob("[!.]*/sealed.json"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in data.trials.glob("[!.]*/sealed.json")}
    assert len(done) >= 5
    assert not list(data.search.glob(f"*/{TABLE}"))
    subprocess.run(command, env=environment, check=True, timeout=600)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert len(list(data.trials.glob("[!.]*/sealed.json"))) > len(done)
    assert list(data.search.glob(f"*/{TABLE}"))
