"""Snapshots: which are kept, which are served, and going back."""

import os
import shutil
import time
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.base.files import read_json
from collab.release.rollback import roll_back
from collab.release.snapshot import current_snapshot, list_snapshots
from tests.release.planted import Published
from tests.release.tiny import publish, served

OLD = 3 * 24 * 3600


def make_old(folder: Path) -> None:
    """As if it had been published three days ago."""
    then = time.time() - OLD
    os.utime(folder, (then, then))


def seqs(serve: Path) -> list[int]:
    return [snapshot.seq for snapshot in list_snapshots(serve)]


def test_five_are_kept_and_all_of_two_days(tmp_path: Path) -> None:
    for number in range(1, 9):
        publish(tmp_path, number)
    assert seqs(tmp_path) == [8, 7, 6, 5, 4, 3, 2, 1]
    for snapshot in list_snapshots(tmp_path):
        make_old(snapshot.folder)
    publish(tmp_path, 9)
    assert seqs(tmp_path) == [9, 8, 7, 6, 5]


def test_a_removal_cut_short_is_no_snapshot_and_is_finished_next_time(tmp_path: Path) -> None:
    for number in range(1, 3):
        publish(tmp_path, number)
    half = tmp_path / "snapshots" / "000001"
    (half / "movielens.duckdb").unlink()
    half.rename(half.with_suffix(".tmp"))
    assert seqs(tmp_path) == [2]
    publish(tmp_path, 3)
    assert not half.with_suffix(".tmp").exists()


def test_a_publisher_that_died_before_the_flip_is_passed_over(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    shutil.copytree(tmp_path / "snapshots" / "000001", tmp_path / "snapshots" / "000002")
    assert served(tmp_path) == 1
    assert publish(tmp_path, 3).seq == 3
    assert served(tmp_path) == 3


def test_files_are_read_only_and_linked(tmp_path: Path) -> None:
    snapshot = publish(tmp_path, 1)
    for path in snapshot.folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o444), path
    assert os.readlink(tmp_path / "current") == "snapshots/000001"  # noqa: PTH115
    assert read_json(tmp_path / "latest.json")["seq"] == 1
    assert (tmp_path / "parquet" / "a.parquet").exists()


def test_going_back_and_forth(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        publish(tmp_path, number)
    roll_back(tmp_path, 1)
    assert served(tmp_path) == 1
    assert read_json(tmp_path / "latest.json")["seq"] == 1
    assert [s.withdrawn for s in list_snapshots(tmp_path)] == [True, True, False]
    roll_back(tmp_path, 2)
    assert served(tmp_path) == 2
    assert [s.withdrawn for s in list_snapshots(tmp_path)] == [True, False, False]
    assert publish(tmp_path, 4).seq == 4
    assert served(tmp_path) == 4


def test_what_is_served_is_kept_however_old(tmp_path: Path) -> None:
    for number in range(1, 8):
        publish(tmp_path, number)
        make_old(tmp_path / "snapshots" / f"{number:06d}")
    roll_back(tmp_path, 3)
    assert served(tmp_path) == 3


@pytest.mark.parametrize("seq", [0, 7])
def test_no_such_snapshot(tmp_path: Path, seq: int) -> None:
    publish(tmp_path, 1)
    publish(tmp_path, 2)
    with pytest.raises(CollabError, match=f"no snapshot {seq}; there are: 2, 1"):
        roll_back(tmp_path, seq)


def test_a_damaged_snapshot_is_not_gone_back_to(tmp_path: Path) -> None:
    first = publish(tmp_path, 1)
    other = publish(tmp_path, 2)
    shutil.copyfile(other.folder / "parquet" / "a.parquet", tmp_path / "a")
    (tmp_path / "a").replace(first.folder / "parquet" / "a.parquet")
    with pytest.raises(CollabError, match="Snapshot 1 is damaged: the table a differs"):
        roll_back(tmp_path, 1)
    assert served(tmp_path) == 2
    assert not other.withdrawn


def test_an_unchanged_pipeline_does_not_undo_a_rollback(
    published: Published, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = published.copy_to(tmp_path / "data")
    champion, other = mine.runs
    assert mine.publish([champion])[0].seq == 2
    roll_back(mine.data.serve, 1)

    stays, made = mine.publish([champion])
    assert (stays.seq, made) == (1, False)
    assert "snapshot 2 with the same content was rolled back, and 1 is served" in caplog.text

    # what is served is found done as ever; what is forced is published, and then found done
    assert mine.publish([champion, other]) == (current_snapshot(mine.data.serve), False)
    assert mine.publish([champion], force=True)[0].seq == 3
    assert mine.publish([champion])[1] is False

    # something new ends a rollback
    roll_back(mine.data.serve, 1)
    new = mine.train("dot_product_bias_wd", seed=7)
    snapshot, made = mine.publish([new])
    assert (snapshot.seq, made) == (4, True)
