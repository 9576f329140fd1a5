"""What may go once nothing published refers to it, and what stays of a run that went."""

import os
import shutil
import time
from pathlib import Path

import pytest
from filelock import FileLock

import collab
from collab.base.alive import marked
from collab.base.files import seal, write_json
from collab.cli import main
from collab.dataset.protocols import Protocol
from collab.release.remembered import all_runs, metrics_of
from collab.release.retention import removable, remove
from collab.runs.record import Run
from tests.release.planted import Published, ask
from tests.typed import Capture, out

DAY = 86400
MINUTE = 60


def make_old(folder: Path, days: float) -> None:
    """As if it had been made so many days ago."""
    then = time.time() - days * DAY
    os.utime(folder, (then, then))


def age_all(mine: Published, days: float) -> None:
    """As if everything had been made so many days ago."""
    data = mine.data
    for parent in (data.runs, data.datasets, *data.lake.glob("*")):
        for folder in parent.glob("[!.]*"):
            make_old(folder, days)


def names(mine: Published, days: float = 30) -> list[str]:
    """What may go, relative to the data folder."""
    found = removable(mine.data, days)
    return [item.folder.relative_to(mine.data.root).as_posix() for item in found]


@pytest.fixture
def unpublished(mine: Published) -> Run:
    """A run on a split of its own, of which nothing was published; everything is 40 days old."""
    run = mine.train("dot_product", protocol=Protocol(split_seed=5))
    age_all(mine, 40)
    return run


def test_what_is_published_stays_however_old(mine: Published) -> None:
    age_all(mine, 4000)
    assert names(mine) == []


def test_what_nothing_published_refers_to_goes(mine: Published, unpublished: Run) -> None:
    assert names(mine) == [
        f"runs/{unpublished.run_id}",
        f"datasets/{unpublished.record.dataset}",
    ]
    assert names(mine, days=39) == names(mine)
    assert names(mine, days=41) == []


def test_how_much_it_frees(mine: Published, unpublished: Run) -> None:
    by_name = {item.folder.name: item.size for item in removable(mine.data)}
    files = [path for path in unpublished.folder.rglob("*") if path.is_file()]
    assert by_name[unpublished.run_id] == sum(path.stat().st_size for path in files) > 1000


def test_a_run_that_stays_keeps_what_it_was_made_of(mine: Published, unpublished: Run) -> None:
    make_old(unpublished.folder, 29)
    assert names(mine) == []


def test_what_a_kept_snapshot_refers_to_stays(mine: Published, unpublished: Run) -> None:
    mine.publish([*mine.runs, unpublished])
    mine.publish(force=True)  # the one before is kept, and may be gone back to
    age_all(mine, 40)
    assert names(mine) == []
    for path in (mine.serve / "snapshots" / "000002").rglob("snapshot.json"):
        path.unlink()
    assert f"runs/{unpublished.run_id}" in names(mine)


def test_a_trial_goes_by_its_age_and_leaves_no_memory(mine: Published, unpublished: Run) -> None:
    trial = mine.data.trials / unpublished.run_id
    trial.parent.mkdir(parents=True)
    unpublished.folder.rename(trial)
    for days, gone in ((29, False), (40, True)):
        make_old(trial, days)
        assert (f"search/runs/{trial.name}" in names(mine)) is gone
    remove(mine.data, removable(mine.data))
    assert not trial.exists()
    assert not list(mine.data.history.glob("*.json"))
    assert unpublished.run_id not in {run.run_id for run in all_runs(mine.data)}


def test_the_newest_lake_folder_stays(mine: Published) -> None:
    lakes = mine.data.lake / "ml-1m"
    for name, days in (("a" * 16, 60), ("b" * 16, 40)):
        (lakes / name).mkdir(parents=True)
        write_json(lakes / name / "manifest.json", {})
        os.utime(lakes / name / "manifest.json", (time.time() - days * DAY,) * 2)
        seal(lakes / name)
        make_old(lakes / name, days)
    assert names(mine) == [f"lake/ml-1m/{'a' * 16}"]


def test_what_is_under_way_is_not_touched_and_what_is_left_of_it_goes(mine: Published) -> None:
    """Whatever its age: where nobody holds its lock, whoever built it is dead."""
    data, snapshots = mine.data, mine.serve / "snapshots"
    locks = [data.runs / ".x.lock", data.datasets / ".x.lock", mine.serve / ".publish.lock"]
    left = [data.runs / ".x.tmp-abc", data.datasets / ".x.tmp-abc", snapshots / "abc.tmp"]
    for lock, folder in zip(locks, left, strict=True):
        folder.mkdir()
        with FileLock(lock):
            assert names(mine) == []
        assert names(mine) == [folder.relative_to(data.root).as_posix()]
        assert len(remove(data, removable(data))) == 1
        assert not folder.exists()


def test_what_cannot_be_removed_is_not_said_to_be(
    mine: Published, unpublished: Run, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """It is no run any more, and is tried again the next time."""

    def refused(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    there = ["--data-dir", str(mine.data.root)]
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(shutil, "rmtree", refused)
        assert "0 folders, 0.0 MiB: removed" in out(capsys, "gc", "--remove", *there)
    assert not unpublished.folder.exists()
    assert names(mine) == [
        f"runs/.{unpublished.run_id}.tmp-gone",
        f"datasets/.{unpublished.record.dataset}.tmp-gone",
    ]
    assert "2 folders" in out(capsys, "gc", "--remove", *there)
    assert names(mine) == []


def test_nothing_is_removed_under_a_flow(
    mine: Published, unpublished: Run, capsys: Capture
) -> None:
    """Also in a moment in which it builds nothing: what it found may be what it goes on from."""
    there = ["--data-dir", str(mine.data.root)]
    with marked(mine.data, {"step": "flow train", "pid": 1}):
        assert main(["gc", "--remove", *there]) == 1
        assert capsys.readouterr().err == "error: Something runs: flow train. Wait for its end.\n"
        assert "2 folders" in out(capsys, "gc", *there)
    assert unpublished.folder.exists()


def test_a_run_that_went_is_still_told_of(mine: Published, unpublished: Run) -> None:
    mine.publish(force=True)
    before, metrics = told(mine, unpublished), metrics_of(unpublished)
    assert before
    make_old(unpublished.folder, 40)
    remove(mine.data, removable(mine.data))
    assert not unpublished.folder.exists()
    assert not (mine.data.datasets / unpublished.record.dataset).exists()
    assert unpublished in all_runs(mine.data)
    assert metrics_of(unpublished).equals(metrics)

    assert mine.publish()[1] is False, "no content of the publication has changed"
    mine.publish(force=True)
    assert told(mine, unpublished) == before
    again = mine.train("dot_product", protocol=Protocol(split_seed=5))
    assert again.run_id == unpublished.run_id
    assert [run.run_id for run in all_runs(mine.data)].count(again.run_id) == 1


def told(mine: Published, run: Run) -> list[tuple[object, ...]]:
    """What the tables say of a run: its row, and its metrics one by one."""
    with collab.connect(mine.data.root) as con:
        rows = ask(con, f"FROM runs WHERE run_id = '{run.run_id}'")
        return rows + ask(con, f"FROM metrics WHERE run_id = '{run.run_id}' ORDER BY ALL")


def test_a_run_of_another_version_goes_without_a_trace(mine: Published, unpublished: Run) -> None:
    write_json(unpublished.folder / "run.json", {"run_id": unpublished.run_id, "schema": 1})
    make_old(unpublished.folder, 40)
    remove(mine.data, removable(mine.data))
    assert not unpublished.folder.exists()
    assert not list(mine.data.history.glob("*.json"))


@pytest.mark.parametrize("name", ["metrics.parquet", "run.json"])
def test_a_damaged_run_goes_all_the_same(mine: Published, unpublished: Run, name: str) -> None:
    (unpublished.folder / name).write_bytes(b"junk")
    make_old(unpublished.folder, 40)
    remove(mine.data, removable(mine.data))
    assert not unpublished.folder.exists()


def test_gc_is_dry_unless_told(mine: Published, unpublished: Run, capsys: Capture) -> None:
    there = ["--data-dir", str(mine.data.root)]
    listed = out(capsys, "gc", *there)
    assert f"runs/{unpublished.run_id}" in listed
    assert "2 folders" in listed
    assert "would be removed with --remove" in listed
    assert unpublished.folder.exists()
    assert "0 folders" in out(capsys, "gc", "--days", "41", "--remove", *there)
    assert unpublished.folder.exists()
    assert "2 folders" in out(capsys, "gc", "--remove", *there)
    assert not unpublished.folder.exists()
    assert "0 folders" in out(capsys, "gc", *there)


def test_nothing_is_removed_where_nothing_is_known_to_be_published(
    mine: Published, unpublished: Run, capsys: Capture
) -> None:
    """As where the folder of what is served is not mounted: all that is old would go."""
    mine.data.serve.rename(mine.data.root / "elsewhere")
    assert main(["gc", "--remove", "--data-dir", str(mine.data.root)]) == 1
    assert "Nothing is published in" in capsys.readouterr().err
    assert unpublished.folder.exists()
