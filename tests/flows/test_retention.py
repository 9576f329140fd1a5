"""What the weekly pipeline removes, and that nothing it does so keeps tables from standing."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from collab.base.alive import marked
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from tasks import retention
from tests.flows.running import run
from tests.published import query

pytestmark = pytest.mark.usefixtures("prefect", "here")


def folders(data: DataDir) -> set[str]:
    """The runs, datasets and lake folders there are."""
    places = (data.runs, data.datasets, data.lake / "ml-100k")
    return {f"{place.name}/{path.name}" for place in places for path in place.glob("[!.]*/")}


@pytest.fixture
def old(planted_zip: Path, data: DataDir) -> set[str]:
    """What a publication of 40 days ago rests on, and a run of 40 days ago that it does not."""
    for more in (("--protocol", "temporal", "--as-of", "1999-01-01"), ()):
        assert run(planted_zip, data, "--variants", "als", *more) == 0
    (past,) = (data.serve / "ml-100k" / "snapshots").glob("000001")
    past.rename(data.root / "forgotten")
    needed = {"runs": 2, "datasets": 2, "ml-100k": 1}
    there = folders(data)
    for name in there:
        parent = data.lake if name.startswith("ml-100k") else data.root
        long_ago = time.time() - 40 * 86400
        os.utime(parent / name, (long_ago, long_ago))
    assert len(there) == sum(needed.values()) + 4
    return there


def last_entry(data: DataDir) -> dict[str, Any]:
    """The journal's last line of this step."""
    return [entry for entry in read_journal(data) if entry["step"] == "gc"][-1]


def test_unless_asked_for_only_what_is_half_made_is_removed(
    planted_zip: Path, data: DataDir, old: set[str]
) -> None:
    half = [data.runs / ".x.tmp-abc", data.serve / "ml-100k" / "snapshots" / "abc.tmp"]
    for folder in half:
        folder.mkdir()
    with marked(data, {"step": "flow train", "pid": 1}):  # their locks tell: also beside others
        assert run(planted_zip, data, "--variants", "als") == 0
    assert not [folder for folder in half if folder.exists()]
    assert folders(data) == old
    assert last_entry(data)["folders"] == 2


def test_what_nothing_published_refers_to_is_removed(
    planted_zip: Path, data: DataDir, old: set[str]
) -> None:
    assert run(planted_zip, data, "--variants", "als", "--keep-days", "41") == 0
    assert folders(data) == old
    assert run(planted_zip, data, "--variants", "als", "--keep-days", "39") == 0
    gone = old - folders(data)
    # of the earlier day the release goes, and the run that was measured stays: bias_history has it
    assert sorted(name.split("/")[0] for name in gone) == ["datasets", "runs"]
    assert last_entry(data)["folders"] == 2
    assert run(planted_zip, data, "--variants", "als") == 0  # nothing of it is needed again
    assert folders(data) == old - gone
    assert run(planted_zip, data, "--variants", "als", "--seed", "7") == 0
    assert query(data, "SELECT count(*) FROM runs WHERE as_of IS NOT NULL") == [(2,)]  # told still


def test_nothing_old_is_removed_while_something_else_runs(
    planted_zip: Path, data: DataDir, old: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    with FileLock(data.runs / ".another.lock"), marked(data, {"step": "flow train", "pid": 1}):
        assert run(planted_zip, data, "--variants", "als", "--keep-days", "39") == 0
    assert folders(data) == old
    told = "Nothing old was removed: something else runs (flow train, runs/another)"
    assert told in caplog.text


def test_a_failure_leaves_the_pipeline_a_success(
    planted_zip: Path,
    data: DataDir,
    old: set[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*given: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(retention, "remove", fail)
    assert run(planted_zip, data, "--variants", "als", "--keep-days", "39") == 0
    assert "Nothing more was removed; the tables are published" in caplog.text
    assert (last_entry(data)["outcome"], last_entry(data)["error"]) == ("failed", "not yours")
