"""A pipeline killed at random moments, two at once, and a data folder that is moved."""

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from collab.base.journal import read_journal
from collab.base.paths import DataDir
from deploy.processes import descendants
from tests.published import tables
from tests.scenarios.stack import Stack, kill

pytestmark = pytest.mark.slow

MOMENTS = 20


def begin(stack: Stack, given: dict[str, Any], *more: str) -> "subprocess.Popen[str]":
    """`python -m flows.pipeline` in a process group of its own, using the stack's server."""
    options = ["--archive", given["archive"], "--trust-archive", "--data-dir", given["data_dir"]]
    chosen = ["--variants", ",".join(given["variants"]), "--epochs", str(given["epochs"])]
    chosen += ["--splits", ",".join(map(str, given["splits"]))]
    return subprocess.Popen(
        [sys.executable, "-m", "flows.pipeline", *options, *chosen, "--device", "cpu", *more],
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    """Wait for a good end; returns what was printed."""
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    return printed


def made(data: DataDir, step: str) -> int:
    """How often a step did something, as the journal has it."""
    return sum((e["step"], e["outcome"]) == (step, "made") for e in read_journal(data))


def test_killed_at_random_moments_a_clean_run_gives_the_same_tables(
    stack: Stack, quick: dict[str, Any], data: DataDir, tmp_path: Path
) -> None:
    """Each attempt does all of it anew, so that each kill falls into work; the last one resumes."""
    undisturbed = {**quick, "data_dir": str(tmp_path / "undisturbed")}
    started = time.monotonic()
    finish(begin(stack, undisturbed))
    takes = time.monotonic() - started
    moments = random.Random(42)  # noqa: S311
    for number in range(MOMENTS):
        process = begin(stack, quick, "--force")
        time.sleep(moments.uniform(0.25, 1) * takes)  # Python alone takes the first quarter
        with_children = number % 2 == 0
        kill(process, *(descendants(process.pid) if with_children else []))
        process.communicate()
    finish(begin(stack, quick))
    expected = tables(DataDir(tmp_path / "undisturbed"))
    assert len(expected) >= 10
    assert tables(data) == expected
    left = [path.name for path in data.root.rglob("*.tmp*")]
    assert left == []


def test_two_at_once_on_one_data_folder(stack: Stack, quick: dict[str, Any], data: DataDir) -> None:
    for process in [begin(stack, quick) for _ in range(2)]:
        finish(process)
    runs = 4  # each variant, the means beside them, and the champion's recipe on all ratings
    assert made(data, "train") == runs  # once each, by the one or the other
    assert made(data, "dataset") == 2
    assert made(data, "ingest") == 1
    assert len(tables(data)["runs"]) == runs


def test_a_data_folder_may_be_moved(
    stack: Stack, quick: dict[str, Any], data: DataDir, tmp_path: Path
) -> None:
    finish(begin(stack, quick))
    before = tables(data)
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    shutil.move(data.root, moved)
    assert tables(DataDir(moved)) == before
    assert "Nothing has changed" in finish(begin(stack, {**quick, "data_dir": str(moved)}))
