"""Flows that run, and those that died without a word."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collab.base.alive import KILLED, alive, killed, running
from collab.base.errors import CollabError
from collab.base.journal import read_journal, step
from collab.base.paths import DataDir
from collab.status import gather_status, status_lines, told
from flows.train import train

DIES = """
import os, signal, sys
from pathlib import Path
from collab.base.alive import running
from collab.base.paths import DataDir
with running(DataDir(Path(sys.argv[1])), "pipeline", edition="ml-100k", flow_run="f1"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_flow_runs_from_its_first_moment_to_its_last(data: DataDir) -> None:
    with running(data, "pipeline", edition="ml-100k", flow_run="f1"):
        (flow,) = alive(data)
        assert (flow["step"], flow["pid"], flow["flow_run"]) == ("flow pipeline", os.getpid(), "f1")
        (line,) = [t for t in status_lines(gather_status(data)) if t.startswith("Running")]
        assert line == f"Running: flow pipeline ml-100k since {told(flow['at'])}"
        (mark,) = data.running.iterdir()
        assert mark.stat().st_mode & 0o777 == 0o644, "analysts see it too"
    assert alive(data) == killed(data) == []
    assert [(e["step"], e["outcome"]) for e in read_journal(data)] == [("flow pipeline", "made")]
    assert list(data.running.iterdir()) == []


def test_one_that_was_killed_is_told_and_written_down_once(data: DataDir) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, str(data.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    for _ in range(2):  # to look changes nothing
        last = list(status_lines(gather_status(data)))[-1]
        assert last.endswith(f"flow pipeline: {KILLED} (flow run f1)")
        assert read_journal(data) == []
    for _ in range(2):
        with running(data, "ingest"):
            assert killed(data) == []
    assert [e["step"] for e in read_journal(data) if e["outcome"] == "failed"] == ["flow pipeline"]
    assert any(KILLED in line for line in status_lines(gather_status(data)))


def test_a_failure_is_told_once_and_by_its_step(data: DataDir) -> None:
    with (
        pytest.raises(ValueError, match="bad"),
        running(data, "pipeline", flow_run="f1"),
        step(data, "ingest", flow_run="f1"),
    ):
        raise ValueError("bad")
    assert [entry["step"] for entry in gather_status(data).failures] == ["ingest"]


def test_what_a_flow_refuses_is_told(data: DataDir) -> None:
    with pytest.raises(CollabError, match="Unknown variant"):
        train.fn(variants=["nonsense"], data_dir=str(data.root))
    assert "flow train: Unknown variant 'nonsense'." in list(status_lines(gather_status(data)))[-1]


def test_where_nothing_can_be_written_the_flow_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running(DataDir(tmp_path / "file"), "pipeline"):
        pass
