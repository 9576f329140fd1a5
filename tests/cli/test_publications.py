"""`snapshots`, `rollback`, `status` and `gc`, over publications that are made up."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from collab.base.files import seal
from collab.base.paths import DataDir
from collab.release import rollback, snapshot
from tests.cli.served import serve_by_hand
from tests.typed import Capture, cells, error, out

RECORD = SimpleNamespace(
    edition="ml-1m",
    variant="als",
    champion="ml-1m-als-0123456789ab",
    valid_mse=0.75,
    published_at="2026-01-02T03:04:05+00:00",
    data_fingerprint="f" * 64,
)


@dataclass
class Made:
    """A snapshot that stands nowhere."""

    seq: int
    withdrawn: bool = False
    as_of: str | None = None
    size: int = 2**20
    record = RECORD


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    """A data folder with four snapshots of ml-1m, the second of which is served."""
    made = [Made(4, as_of="1998-01-01"), Made(3, withdrawn=True), Made(2), Made(1)]
    monkeypatch.setattr(snapshot, "list_snapshots", lambda folder: made)
    monkeypatch.setattr(snapshot, "current_snapshot", lambda folder: made[2])
    monkeypatch.setattr(rollback, "roll_back", lambda folder, seq: made[-seq])
    monkeypatch.setenv("COLLAB_DATA_DIR", str(tmp_path))
    serve_by_hand(tmp_path / "serve", "ml-1m")
    return DataDir(tmp_path)


@pytest.mark.usefixtures("there")
def test_snapshots_tell_what_became_of_each(capsys: Capture) -> None:
    rows = cells(out(capsys, "snapshots"))
    assert [(row[0], row[-1]) for row in rows] == [
        ("4", "as of 1998-01-01"),
        ("3", "withdrawn"),
        ("2", "served"),
        ("1", ""),
    ]
    assert rows[0][1:6] == ["2026-01-02 03:04", "ml-1m", "als", "0.7500", "1.0"]


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


def commit(folder: Path, record: str, *, days: float = 100.0, **said: str) -> Path:
    """A sealed folder that many days old."""
    folder.mkdir(parents=True)
    (folder / record).write_text(json.dumps(said))
    seal(folder)
    then = time.time() - days * 24 * 3600
    os.utime(folder / "sealed.json", (then, then))
    return folder


def test_gc_keeps_what_is_published_and_what_that_was_made_from(
    capsys: Capture, tmp_path: Path
) -> None:
    data = DataDir(tmp_path)
    serve_by_hand(data.serve, "ml-1m")  # refers to the runs that end in 0123456789ab
    runs = {"embedding_nn-0123456789ab": ("a", 100), "als-111111111111": ("b", 29)}
    runs["als-222222222222"] = ("c", 100)  # neither published nor young
    for run, (digit, days) in runs.items():
        lake, dataset = digit + "d" * 63, digit + "e" * 63
        commit(data.lake / "ml-1m" / lake[:16], "manifest.json", fingerprint=lake)
        commit(data.datasets / f"ml-1m-u1-{dataset[:16]}", "dataset.json", data_fingerprint=lake)
        commit(data.runs / f"ml-1m-{run}", "run.json", days=days, dataset=dataset)
    gone = ["runs/ml-1m-als-222222222222", "datasets/ml-1m-u1-ceeeeeeeeeeeeeee"]
    gone.append("lake/ml-1m/cddddddddddddddd")
    there = ["--data-dir", str(tmp_path)]
    listed = out(capsys, "gc", *there)
    assert [line.split()[-1] for line in listed.splitlines()[:-1]] == gone
    assert "3 folders, 0.0 MiB: would be removed with --remove" in listed
    assert all((tmp_path / name).exists() for name in gone)
    assert "3 folders, 0.0 MiB: removed" in out(capsys, "gc", "--remove", *there)
    assert not any((tmp_path / name).exists() for name in gone)
    assert len(list(tmp_path.rglob("sealed.json"))) == 6
    assert out(capsys, "gc", *there).startswith("0 folders")


def test_gc_stops_where_a_publication_cannot_be_read(capsys: Capture, tmp_path: Path) -> None:
    database = serve_by_hand(tmp_path / "serve") / "movielens.duckdb"
    database.resolve().write_text("no database")
    said = error(capsys, "gc", "--data-dir", str(tmp_path))
    assert "cannot be read" in said
    assert "Nothing was removed" in said
