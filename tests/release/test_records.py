"""What an older version of the program wrote is read where it can be, and else left out."""

import json
from pathlib import Path

import pytest

import collab
from collab.base.files import read_json, seal, write_json
from collab.base.paths import DataDir
from collab.lake import find_manifest
from collab.release.remembered import all_runs
from collab.release.retention import removable, remove
from collab.release.snapshot import list_snapshots
from collab.report import publish_report
from collab.runs.record import newest_runs
from collab.status import gather_status
from tests.release.older import FINGERPRINT, RUN, write_older, write_run
from tests.release.planted import Published, ask, take_in
from tests.typed import Capture, error, out


@pytest.fixture
def older(tmp_path: Path) -> Published:
    """Such a folder, in which the archive was taken in again since, and nothing else was done."""
    data = DataDir(tmp_path / "data")
    lake = take_in(data)
    write_older(data, lake)
    return Published(data=data, lake=lake, runs=[], confirmations=[])


def edition_of(older: Published) -> list[tuple[str]]:
    """What a reader is told."""
    with collab.connect(older.data.root) as con:
        return ask(con, "SELECT edition FROM publish_info")


def test_what_it_published_is_read_until_something_is_published(
    older: Published, capsys: Capture
) -> None:
    there = ["--data-dir", str(older.data.root)]
    assert edition_of(older) == [("ml-latest-small",)]
    assert "ml-latest-small" in out(capsys, "sql", "--csv", "FROM publish_info", *there)
    told = out(capsys, "status", *there)
    assert (
        f"Published: by another version of this program, or removed since, in {older.data.serve}\n"
        in told
    )
    assert "nothing yet" not in told
    assert out(capsys, "report", *there) == f"{older.data.serve / 'report.html'}\n"
    assert "python -m flows.pipeline" in error(capsys, "snapshots", *there)


def test_publishing_leaves_out_what_it_wrote_and_says_so(
    older: Published, caplog: pytest.LogCaptureFixture, capsys: Capture
) -> None:
    older.runs.append(older.train("dot_product_bias_wd"))
    snapshot, made = older.publish()
    assert made
    assert (snapshot.seq, snapshot.record.compared_with) == (1, None)
    left_out = f"{older.data.runs / RUN} is left out: its record is of another version"
    assert left_out in caplog.text
    with collab.connect(older.data.root) as con:
        assert ask(con, f"FROM runs WHERE run_id = '{RUN}'") == []
        assert ask(con, "SELECT count(*) FROM leaderboard") == [(1,)]
    publish_report(snapshot)
    for top in (older.serve, older.data.serve):
        assert (top / "movielens.duckdb").resolve() == snapshot.database.resolve()
        assert read_json(top / "latest.json")["schema"] == snapshot.record.schema
        assert (top / "report.html").resolve().parent == snapshot.folder.resolve()
        assert (top / "parquet" / "runs.parquet").exists()
    told = out(capsys, "status", "--data-dir", str(older.data.root))
    assert "Published: ml-latest-small, snapshot 000001, " in told
    assert "another version" not in told
    # nothing of it is removed or written to
    old = older.data.serve / "snapshots" / "000007"
    assert (old / "movielens.duckdb").exists()
    assert "schema" not in read_json(old / "snapshot.json")


def test_what_is_named_by_age_passes_over_it(
    older: Published, caplog: pytest.LogCaptureFixture
) -> None:
    assert find_manifest(older.data, "ml-latest-small").fingerprint == older.lake.fingerprint
    assert f"{FINGERPRINT[:16]} is left out: its record is of another version" in caplog.text
    run = older.train("dot_product_bias_wd")
    assert newest_runs(older.data.runs, older.lake.fingerprint) == [run]


@pytest.mark.parametrize("schema", [1, 3, "2", None])
def test_records_of_other_versions_are_left_out(
    older: Published, caplog: pytest.LogCaptureFixture, schema: object
) -> None:
    write_run(older.data.runs / "another", older.lake, schema=schema)
    assert all_runs(older.data) == []
    assert f"another version (schema {schema}, expected 2)" in caplog.text


def test_a_record_that_lacks_a_field_is_left_out(older: Published) -> None:
    write_run(older.data.runs / "another", older.lake, schema=2)
    assert all_runs(older.data) == []


def test_a_field_that_is_not_known_is_passed_over(older: Published) -> None:
    run = older.train("dot_product_bias_wd")
    record = read_json(run.folder / "run.json")
    write_json(run.folder / "run.json", {**record, "more": 1})
    (run.folder / "sealed.json").unlink()
    seal(run.folder)
    assert all_runs(older.data) == [run]


@pytest.mark.parametrize("schema", [1, 3])
def test_a_snapshot_of_another_version_is_left_out(
    mine: Published, caplog: pytest.LogCaptureFixture, schema: int
) -> None:
    mine.publish(force=True)
    path = mine.serve / "snapshots" / "000001" / "snapshot.json"
    path.chmod(0o644)
    path.write_text(json.dumps({**read_json(path), "schema": schema}))
    assert [snapshot.seq for snapshot in list_snapshots(mine.serve)] == [2]
    assert "000001 is left out: its record is of another version" in caplog.text
    assert mine.publish(force=True)[0].seq == 3, "its number stays taken"


def test_it_goes_with_time(older: Published) -> None:
    older.publish([older.train("dot_product_bias_wd")])
    found = removable(older.data, days=-1)
    assert older.data.runs / RUN in [item.folder for item in found]
    remove(older.data, found)
    assert not (older.data.runs / RUN).exists()
    assert not (older.data.history / f"{RUN}.json").exists(), "of it nothing can be told"
    assert gather_status(older.data).published[0][0].seq == 1
