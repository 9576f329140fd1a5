"""`snapshots`, `rollback`, `status` and `gc`, over publications that are made up."""

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from filelock import FileLock

from collab.base.journal import append
from collab.base.paths import DataDir
from collab.release import rollback, snapshot
from collab.status import Status, stale
from tests.cli.served import serve_by_hand
from tests.typed import Capture, cells, error, out


@dataclass(frozen=True)
class Record:
    """What `snapshot.json` says of it."""

    edition: str = "ml-1m"
    variant: str = "als"
    champion: str = "ml-1m-als-0123456789ab"
    valid_mse: float = 0.75
    published_at: str = "2026-01-02T03:04:05+00:00"
    data_fingerprint: str = "f" * 64
    as_of: str | None = None
    undeclared: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A snapshot that stands nowhere."""

    seq: int
    withdrawn: bool = False
    size: int = 2**20
    record: Record = field(default_factory=Record)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    """A data folder with four snapshots of ml-1m, the second of which is served."""
    made = [Made(4, record=Record(as_of="1998-01-01")), Made(3, withdrawn=True), Made(2), Made(1)]
    monkeypatch.setattr(snapshot, "list_snapshots", lambda folder: made)
    monkeypatch.setattr(snapshot, "current_snapshot", lambda folder: made[2])
    monkeypatch.setattr(rollback, "roll_back", lambda folder, seq: made[-seq])
    monkeypatch.setenv("COLLAB_DATA_DIR", str(tmp_path))
    serve_by_hand(tmp_path / "serve", "ml-1m")
    return DataDir(tmp_path)


@pytest.mark.usefixtures("there")
def test_snapshots_tell_what_became_of_each(capsys: Capture) -> None:
    rows = cells(out(capsys, "snapshots"))
    assert [(row[0], row[2]) for row in rows] == [
        ("4", "as of 1998-01-01"),
        ("3", "withdrawn"),
        ("2", "served"),
        ("1", ""),
    ]
    assert rows[0] == [
        *("4", "2026-01-02 03:04 UTC", "as of 1998-01-01", "als", "0.7500", "ml-1m", "1,048,576"),
    ]


@pytest.mark.usefixtures("there")
def test_rollback(capsys: Capture) -> None:
    printed = out(capsys, "rollback", "1")
    assert printed.startswith("Snapshot 1 of 2026-01-02T03:04:05+00:00 is served.\n")


def test_status_tells_of_every_edition_and_of_one(capsys: Capture, there: DataDir) -> None:
    serve_by_hand(there.serve, "ml-100k")
    manifest = there.lake / "ml-1m" / ("f" * 16) / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"source": {"origin": "a mirror"}}))
    printed = out(capsys, "status")
    assert printed.count("Published: ml-1m, snapshot 000002, ") == 2  # one for each folder
    assert "  data: ml-1m ffffffffffffffff, from a mirror\n" in printed
    assert "  champion: ml-1m-als-0123456789ab, valid MSE 0.7500\n" in printed
    assert out(capsys, "status", "--edition", "ml-1m").count("Published: ") == 1
    assert "Known: ml-100k, ml-1m" in error(capsys, "status", "--edition", "ml-10m")


def test_status_knows_every_place_where_something_is_built(capsys: Capture, there: DataDir) -> None:
    there.datasets.mkdir()
    with (
        FileLock(there.datasets / ".ml-1m-u1-12.lock"),
        FileLock(there.serve / "ml-1m" / ".publish.lock"),
    ):
        assert "Running: datasets/ml-1m-u1-12, serve/ml-1m/publish\n" in out(capsys, "status")
        assert "Something runs: datasets/ml-1m-u1-12" in error(capsys, "gc", "--remove")
    assert "Running: nothing\n" in out(capsys, "status")


def test_status_is_a_dead_mans_switch(
    capsys: Capture, there: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made long ago and found in place lately is not stale."""
    from collab.cli import main

    def told(*more: str) -> tuple[int, str]:
        code = main(["status", "--json", *more])
        printed = capsys.readouterr()
        assert json.loads(printed.out or "{}") is not None
        return code, printed.err

    assert told() == (0, "")
    code, said = told("--max-age", "30h")
    assert code == 1
    assert said.startswith("error: ml-1m was last made or confirmed ")
    assert said.endswith(" hours ago, more than 30\n")
    lately = {"at": (datetime.now(UTC) - timedelta(hours=20)).isoformat(), "edition": "ml-1m"}
    append(there.journal, {**lately, "step": "publish", "outcome": "failed", "error": "x"})
    append(there.journal, {**lately, "step": "publish", "outcome": "found", "as_of": "1998-01-01"})
    assert told("--max-age", "30h")[0] == 1
    append(there.journal, {**lately, "step": "publish", "outcome": "found", "as_of": None})
    assert told("--max-age", "30h") == (0, "")
    assert told("--max-age", "10h")[0] == 1
    ahead = {"at": (datetime.now(UTC) + timedelta(days=9)).isoformat(), "edition": "ml-1m"}
    append(there.journal, {**ahead, "step": "publish", "outcome": "found", "as_of": None})
    assert told("--max-age", "10h")[0] == 1, "a clock was wrong once"
    assert told("--max-age", "30h", "--edition", "ml-10m")[0] == 2
    monkeypatch.setenv("COLLAB_DATA_DIR", str(tmp_path / "empty"))
    assert told("--max-age", "8d") == (2, "error: nothing is published\n")
    assert told() == (0, "")


def test_an_edition_whose_snapshots_are_gone_is_missed(capsys: Capture, there: DataDir) -> None:
    """Beside one that stands; nobody but its dangling link knows that it was published."""
    from collab.cli import main

    assert main(["status", "--max-age", "9999d"]) == 0
    gone = there.serve / "ml-10m"
    gone.mkdir()
    (gone / "current").symlink_to("snapshots/000001")
    capsys.readouterr()
    assert main(["status", "--max-age", "9999d"]) == 1
    printed = capsys.readouterr()
    assert printed.err == f"error: {gone} holds nothing that can be read\n"
    assert f"or removed since, in {gone}\n" in printed.out


def test_of_several_editions_each_stale_one_is_named_and_one_of_the_future_too() -> None:
    now, day = datetime.now(UTC), timedelta(days=1)
    at = {"a": now - day / 2, "b": now - 2 * day, "c": now + 9 * day, "d": now - 3 * day}
    found = Status(published=[], confirmed=at, unknown=[], flows=[], running=[], steps=[],
                   failures=[])  # fmt: skip
    assert [text.split(",")[0] for text in stale(found, day)] == [
        "b was last made or confirmed 48.0 hours ago",
        "d was last made or confirmed 72.0 hours ago",
        "c was made 216.0 hours from now: a clock is or was wrong",
    ]


@pytest.fixture
def removed(there: DataDir, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was removed of the one folder that may go once it is 30 days old."""
    gone: list[Path] = []
    item = SimpleNamespace(folder=there.runs / "ml-1m-als-0123456789ab", size=3 * 2**20)

    def remove(data: DataDir, found: list[SimpleNamespace]) -> list[SimpleNamespace]:
        gone.extend(item.folder for item in found)
        return found

    made = ModuleType("collab.release.retention")
    made.__dict__["removable"] = lambda data, days: [item] if days <= 30 else []
    made.__dict__["remove"] = remove
    monkeypatch.setitem(sys.modules, "collab.release.retention", made)
    return gone


def test_gc_removes_only_what_it_is_told_to(capsys: Capture, removed: list[Path]) -> None:
    folder = "runs/ml-1m-als-0123456789ab"
    listed = out(capsys, "gc")
    assert cells(listed) == [["3,145,728", folder]]
    assert listed.endswith("\n1 folders, 3.0 MiB: would be removed with --remove\n")
    assert json.loads(out(capsys, "gc", "--json")) == [{"folder": folder, "bytes": 3 * 2**20}]
    assert removed == []
    assert out(capsys, "gc", "--remove", "--days", "31").startswith("0 folders")
    assert removed == []
    assert out(capsys, "gc", "--remove").endswith("\n1 folders, 3.0 MiB: removed\n")
    assert [path.name for path in removed] == ["ml-1m-als-0123456789ab"]
