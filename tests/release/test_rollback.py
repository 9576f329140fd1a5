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


def test_five_are_kept_and_all_of_two_days(serve: Path) -> None:
    for number in range(1, 9):
        publish(serve, number)
    assert seqs(serve) == [8, 7, 6, 5, 4, 3, 2, 1]
    for snapshot in list_snapshots(serve):
        make_old(snapshot.folder)
    publish(serve, 9)
    assert seqs(serve) == [9, 8, 7, 6, 5]


def test_a_removal_cut_short_is_no_snapshot_and_is_finished_next_time(serve: Path) -> None:
    for number in range(1, 3):
        publish(serve, number)
    half = serve / "snapshots" / "000001"
    (half / "movielens.duckdb").unlink()
    half.rename(half.with_suffix(".tmp"))
    assert seqs(serve) == [2]
    publish(serve, 3)
    assert not half.with_suffix(".tmp").exists()


def test_a_publisher_that_died_before_the_flip_is_passed_over(serve: Path) -> None:
    publish(serve, 1)
    shutil.copytree(serve / "snapshots" / "000001", serve / "snapshots" / "000002")
    assert served(serve) == 1
    assert publish(serve, 3).seq == 3
    assert served(serve) == 3


def test_files_are_read_only_and_linked(serve: Path) -> None:
    snapshot = publish(serve, 1)
    for path in snapshot.folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o444), path
    assert os.readlink(serve / "current") == "snapshots/000001"  # noqa: PTH115
    assert read_json(serve / "latest.json")["seq"] == 1
    assert (serve / "parquet" / "a.parquet").exists()


def test_going_back_and_forth(serve: Path) -> None:
    for number in (1, 2, 3):
        publish(serve, number)
    roll_back(serve, 1)
    assert served(serve) == 1
    assert read_json(serve / "latest.json")["seq"] == 1
    assert [s.withdrawn for s in list_snapshots(serve)] == [True, True, False]
    roll_back(serve, 2)
    assert served(serve) == 2
    assert [s.withdrawn for s in list_snapshots(serve)] == [True, False, False]
    assert publish(serve, 4).seq == 4
    assert served(serve) == 4


def test_what_is_served_is_kept_however_old(serve: Path) -> None:
    for number in range(1, 8):
        publish(serve, number)
        make_old(serve / "snapshots" / f"{number:06d}")
    roll_back(serve, 3)
    assert served(serve) == 3


@pytest.mark.parametrize("seq", [0, 7])
def test_no_such_snapshot(serve: Path, seq: int) -> None:
    publish(serve, 1)
    publish(serve, 2)
    with pytest.raises(CollabError, match=f"no snapshot {seq}; there are: 2, 1"):
        roll_back(serve, seq)


def test_a_damaged_snapshot_is_not_gone_back_to(serve: Path) -> None:
    first = publish(serve, 1)
    other = publish(serve, 2)
    shutil.copyfile(other.folder / "parquet" / "a.parquet", serve / "a")
    (serve / "a").replace(first.folder / "parquet" / "a.parquet")
    with pytest.raises(CollabError, match="Snapshot 1 is damaged: the table a differs"):
        roll_back(serve, 1)
    assert served(serve) == 2
    assert not other.withdrawn


def test_an_unchanged_pipeline_does_not_undo_a_rollback(
    published: Published, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = published.copy_to(tmp_path / "data")
    champion = mine.runs[0]
    assert mine.publish([champion])[0].seq == 2
    roll_back(mine.serve, 1)

    stays, made = mine.publish([champion])
    assert (stays.seq, made) == (1, False)
    assert "snapshot 2 with the same content was rolled back, and 1 is served" in caplog.text

    # what is served is found done as ever; what is forced is published, and then found done
    assert mine.publish() == (current_snapshot(mine.serve), False)
    assert mine.publish([champion], force=True)[0].seq == 3
    assert mine.publish([champion])[1] is False

    # something new ends a rollback
    roll_back(mine.serve, 1)
    new = mine.train("dot_product_bias_wd", seed=7)
    snapshot, made = mine.publish([new], max_regression=None)
    assert (snapshot.seq, made) == (4, True)
