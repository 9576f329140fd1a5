"""A checkout updated under a run: it says so, commits nothing of two versions, and goes on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collab.base.journal import read_journal
from collab.base.paths import DataDir
from tests.published import query
from tests.scenarios.stack import Stack, wait_for

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the code, to be changed."""
    copy = tmp_path / "checkout"
    for package in ("collab", "flows", "tasks"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, copy / package, ignore=ignored)
    return copy


def begin(checkout: Path, stack: Stack, given: dict[str, Any]) -> "subprocess.Popen[str]":
    """The pipeline of a checkout."""
    options = ["--archive", given["archive"], "--trust-archive", "--data-dir", given["data_dir"]]
    quick = ["--variants", "als,dot_product_bias_wd,embedding_nn", "--splits", "42"]
    quick += ["--device", "cpu", "--epochs", str(given["epochs"])]
    return subprocess.Popen(
        [sys.executable, "-m", "flows.pipeline", *options, *quick],
        cwd=checkout,
        env={**os.environ, **stack.environment, "PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def trained(data: DataDir) -> list[str]:
    """The variants that were trained, by the journal."""
    entries = read_journal(data)
    return [e["variant"] for e in entries if (e["step"], e["outcome"]) == ("train", "made")]


def test_code_that_changes_under_a_run(
    checkout: Path, stack: Stack, long: dict[str, Any], data: DataDir
) -> None:
    process = begin(checkout, stack, long)
    wait_for(lambda: trained(data), 240)
    changed = checkout / "collab" / "runs" / "train.py"
    changed.write_text(changed.read_text() + "\n\nCHANGED = True\n")
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    told = f"error: The code changed under this run ({changed})."
    assert printed.splitlines()[-1].startswith(told)
    assert "start it again" in printed
    assert "Errno 2" not in printed
    assert not data.serve.exists()
    printed, _ = begin(checkout, stack, {**long, "epochs": 1}).communicate(timeout=300)
    assert "published" in printed
    assert query(data, "SELECT count(*) FROM leaderboard") == [(3,)]
