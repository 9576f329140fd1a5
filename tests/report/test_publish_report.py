"""The report of a snapshot: written when its code changed, led to by itself, and free to fail."""

from pathlib import Path

import pytest

import collab
from collab import report
from collab.base.files import read_json
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from collab.release.rollback import roll_back
from collab.release.snapshot import Snapshot
from collab.report import page, publish_report
from tasks.publish import write_report
from tests.release.planted import Published
from tests.release.tiny import EDITION, publish


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The databases whose reports were written; each report is a line of its own."""
    seen: list[Path] = []

    def render(database: Path, mark: str = "") -> str:
        seen.append(database)
        return f"{mark} report of {database.parent.name}"

    monkeypatch.setattr(page, "render", render)
    return seen


@pytest.fixture
def serve(data: DataDir) -> Path:
    return data.serve / EDITION


def shown(serve: Path) -> str:
    """What a reader of the edition's report is led to."""
    assert (serve.parent / "report.html").read_text() == (serve / "report.html").read_text()
    return (serve / "report.html").resolve().parent.name


def test_readers_are_led_to_it_when_it_is_finished(serve: Path, rendered: list[Path]) -> None:
    assert publish_report(publish(serve, 1))
    assert shown(serve) == "000001"
    second = publish(serve, 2)
    assert read_json(serve / "latest.json")["seq"] == 2
    assert shown(serve) == "000001", "its report is not written yet"
    assert publish_report(second)
    assert shown(serve) == "000002"
    assert rendered == [serve / "snapshots" / name / "movielens.duckdb" for name in
                        ("000001", "000002")]  # fmt: skip


def test_it_is_written_again_only_by_other_code(
    serve: Path, rendered: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = publish(serve, 1)
    assert [publish_report(snapshot) for _ in range(3)] == [True, False, False]
    monkeypatch.setattr(report, "code_digest", lambda *names: "0" * 64)
    assert [publish_report(snapshot) for _ in range(3)] == [True, False, False]
    assert len(rendered) == 2
    assert f"collab {'0' * 12}" in (serve / "report.html").read_text()


@pytest.mark.usefixtures("rendered")
def test_a_missing_link_to_it_is_made_again(serve: Path) -> None:
    snapshot = publish(serve, 1)
    publish_report(snapshot)
    (serve / "report.html").unlink()
    assert not publish_report(snapshot)
    assert shown(serve) == "000001"


@pytest.mark.usefixtures("rendered")
def test_that_of_a_snapshot_that_is_not_served_is_not_shown(serve: Path) -> None:
    first, second = publish(serve, 1), publish(serve, 2)
    publish_report(first)
    assert not (serve / "report.html").exists()
    publish_report(second)
    assert shown(serve) == "000002"
    roll_back(serve, 1)
    assert shown(serve) == "000001"


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make every report fail."""

    def render(database: Path, mark: str = "") -> str:
        raise error

    monkeypatch.setattr(page, "render", render)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(KeyError("column"), "'column'"), (OSError(28, "No space left"), "No space left"),
     (AssertionError(), "AssertionError")],
)  # fmt: skip
def test_a_report_that_fails_leaves_the_tables_published_and_is_told(
    published: Published,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    reason: str,
) -> None:
    mine = published.copy_to(tmp_path / "mine")
    before = (mine.serve / "report.html").resolve()
    snapshot, made = mine.publish(force=True)
    assert made
    fail(monkeypatch, error)
    told = write_report.fn(snapshot, mine.data)
    assert told is not None
    assert reason in told
    assert "The report of snapshot 2 failed; the tables are published" in caplog.text
    last = read_journal(mine.data)[-1]
    assert (last["step"], last["outcome"], last["error"]) == ("report", "failed", told)
    assert (mine.serve / "report.html").resolve() == before, "the old one is served"
    assert before.parent.name == "000001"
    with collab.connect(mine.data.root) as con:
        assert con.execute("SELECT max(published_at) FROM publish_info").fetchall()
    assert latest(mine) == snapshot.seq


def latest(mine: Published) -> int:
    """The number of what is served."""
    return int(read_json(mine.serve / "latest.json")["seq"])


def test_a_report_that_is_mended_is_written_for_tables_that_stand(
    mine_failed: tuple[Published, Snapshot], rendered: list[Path]
) -> None:
    mine, snapshot = mine_failed
    again, made = mine.publish()
    assert (again, made) == (snapshot, False)
    assert write_report.fn(again, mine.data) is None
    assert shown(mine.serve) == "000002"
    assert [entry["outcome"] for entry in read_journal(mine.data)] == ["failed", "made"]
    assert rendered == [snapshot.database]


@pytest.fixture
def mine_failed(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Published, Snapshot]:
    """A second publication whose report failed."""
    mine = published.copy_to(tmp_path / "mine")
    snapshot, _ = mine.publish(force=True)
    with monkeypatch.context() as patch:
        fail(patch, ValueError("no"))
        assert write_report.fn(snapshot, mine.data) == "no"
    return mine, snapshot


def test_the_report_of_what_is_really_published(published: Published) -> None:
    text = (published.serve / "report.html").read_text(encoding="utf-8")
    for run in published.runs:
        assert run.run_id.split("-")[-2].replace("_", "_<wbr>") in text
    assert "MSE over 2 splits" in text
    assert text == (published.data.serve / "report.html").read_text(encoding="utf-8")
