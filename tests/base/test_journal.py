"""The journal, and the status that is told from it."""

import logging
from pathlib import Path

import pytest
from filelock import FileLock

from collab.base import journal
from collab.base.journal import append, read_journal, step
from collab.base.paths import DataDir
from collab.status import gather_status, status_lines


@pytest.fixture
def made(data: DataDir) -> DataDir:
    data.root.mkdir()
    return data


def test_a_line_for_a_step_that_worked_and_for_one_that_failed(
    made: DataDir, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "collab.base.journal")
    with step(made, "ingest", edition="ml-100k") as entry:
        entry["rows"], entry["where"] = 7, "lake/x"
    with pytest.raises(ValueError, match="bad"), step(made, "train", variant="v"):
        raise ValueError("bad\nand worse")
    good, bad = read_journal(made)
    assert (good["step"], good["outcome"], good["rows"], good["where"]) == (
        "ingest", "made", 7, "lake/x",
    )  # fmt: skip
    assert good["seconds"] >= 0
    assert good["peak_memory_mib"] > 0
    assert (bad["outcome"], bad["error"]) == ("failed", "bad")
    assert "step=ingest edition=ml-100k outcome=made rows=7 where=lake/x" in caplog.text


WHOLE = {"at": "2026-01-01T00:00:00+00:00", "outcome": "made"}


def test_what_is_no_entry_is_passed_over(made: DataDir) -> None:
    append(made.journal, {"step": "a", **WHOLE})
    with made.journal.open("a") as file:
        file.write('{"step": "b\n42\n[]\nnull\n{"step": "b"}\n\0\0\n')
    append(made.journal, {"step": "c\u2028d", **WHOLE})  # which ends a line for some
    with made.journal.open("a") as file:
        file.write('{"step": "e", "at')
    assert [entry["step"] for entry in read_journal(made)] == ["a", "c\u2028d"]
    assert "  2026-01-01 00:00:00 UTC  a: made" in status_lines(gather_status(made))


def test_status_of_an_empty_folder(data: DataDir) -> None:
    assert list(status_lines(gather_status(data))) == [
        "Published: nothing yet",
        "Running: nothing",
        "No step was ever run here.",
        "No failure is recorded.",
    ]


def test_status_tells_what_runs_and_what_failed(made: DataDir) -> None:
    with pytest.raises(ValueError, match="bad"), step(made, "train", variant="v", flow_run="f1"):
        raise ValueError("bad")
    made.runs.mkdir()
    Path(made.runs / ".done.lock").touch()
    with FileLock(made.runs / ".ml-100k-v-12.lock"):
        status = gather_status(made)
    assert status.running == ["runs/ml-100k-v-12"]
    assert gather_status(made).running == []
    assert [entry["error"] for entry in status.failures] == ["bad"]
    assert "train: bad (flow run f1)" in list(status_lines(status))[-1]


def test_it_is_begun_anew_before_it_grows_without_end(
    made: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LARGEST", 200)
    for number in range(12):
        append(made.journal, {"step": f"step {number:02d}", **WHOLE})
    told = [entry["step"] for entry in read_journal(made)]
    assert told == [f"step {number:02d}" for number in range(12)][-len(told) :]
    assert 2 < len(told) < 12
    assert made.journal.exists() is (len(told) % 3 != 0)
    assert journal.older(made.journal).stat().st_size < 400
