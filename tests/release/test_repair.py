"""What is damaged is made again or left out, and never stands in the way."""

from collections.abc import Callable
from pathlib import Path

import pytest

import collab
from collab.release.remembered import all_runs
from tests.release.planted import Published


def test_what_is_whole_is_not_published_again(mine: Published) -> None:
    snapshot, made = mine.publish()
    assert not made
    assert mine.publish() == (snapshot, False)


@pytest.mark.parametrize("damage", ["delete", "overwrite", "predictions"])
def test_a_damaged_publication_is_made_again(mine: Published, damage: str) -> None:
    before, _ = mine.publish()
    before.database.chmod(0o644)
    if damage == "delete":
        before.database.unlink()
    elif damage == "predictions":  # what the next champion would be compared with
        copy = before.folder / "parquet" / "predictions.parquet"
        copy.chmod(0o644)
        copy.write_bytes(b"junk")
    else:
        before.database.write_bytes(b"junk")
    after, made = mine.publish()
    assert made
    assert after.seq == before.seq + 1
    with collab.connect(mine.data.root) as con:
        assert con.execute("SELECT count(*) > 0 FROM leaderboard").fetchall() == [(True,)]


@pytest.mark.parametrize("folder", [lambda mine: mine.serve, lambda mine: mine.data.serve])
@pytest.mark.parametrize("link", ["movielens.duckdb", "parquet", "latest.json", "report.html"])
def test_a_missing_link_is_made_again(
    mine: Published, folder: Callable[[Published], Path], link: str
) -> None:
    (folder(mine) / link).unlink()
    _, made = mine.publish()
    assert not made
    assert (folder(mine) / link).exists()
    collab.connect(mine.data.root).close()


def test_a_folder_under_way_is_no_run(mine: Published) -> None:
    run = mine.runs[0]
    (run.folder.with_name(f".{run.folder.name}.tmp-abc")).mkdir()
    beside = run.folder.with_name(f".{run.folder.name}.tmp-abc") / "run.json"
    beside.write_bytes((run.folder / "run.json").read_bytes())
    before = [found.run_id for found in all_runs(mine.data)]
    assert before.count(run.run_id) == 1
    mine.train("dot_product", seed=5)
    assert mine.publish()[1]


@pytest.mark.parametrize("name", ["metrics.parquet", "run.json"])
def test_a_damaged_old_run_is_left_out(
    mine: Published, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    old = mine.train("dot_product", seed=5)
    (old.folder / name).write_bytes(b"junk")
    mine.publish(force=True)
    assert f"{old.run_id} is damaged and left out" in caplog.text
    with collab.connect(mine.data.root) as con:
        found = con.execute("SELECT count(*) FROM runs WHERE seed = 5").fetchall()
    assert found == [(0,)]
