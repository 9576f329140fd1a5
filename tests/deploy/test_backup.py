"""A copy of a database that is written to all the while is one moment of it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.backup import ENV_URL, main

ROWS = 200  # of each transaction


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder with a database as Prefect has it, and a writer: equal rows in two tables."""
    path = tmp_path / "prefect.db"
    stop, began = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as con:
            con.execute("PRAGMA journal_mode = WAL")
            con.executescript("CREATE TABLE a (n); CREATE TABLE b (n);")
            while not stop.is_set():
                con.execute("BEGIN")
                for table in ("a", "b"):
                    con.executemany(f"INSERT INTO {table} VALUES (?)", [(1,)] * ROWS)
                con.execute("COMMIT")
                began.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert began.wait(60)
    yield tmp_path
    stop.set()
    thread.join()


def counts(path: Path) -> tuple[int, int]:
    """The rows of both tables."""
    with closing(sqlite3.connect(path)) as con:
        ((a,),) = con.execute("SELECT count(*) FROM a").fetchall()
        ((b,),) = con.execute("SELECT count(*) FROM b").fetchall()
    return a, b


def test_it_is_whole_while_another_writes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = home / "backup.db"
    seen = []
    for _ in range(3):  # the second replaces the first
        assert main([str(target), "--home", str(home)]) == 0
        a, b = counts(target)
        assert a == b
        assert a > 0
        assert a % ROWS == 0
        seen.append(a)
    assert seen == sorted(seen)
    assert not list(home.glob(".backup.db*"))
    assert capsys.readouterr().out.startswith(f"{home}/prefect.db is copied to {target}.")


def test_what_is_not_there_or_no_database_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENV_URL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    assert main([str(tmp_path / "x.db")]) == 1
    assert f"There is no {tmp_path}/prefect.db." in capsys.readouterr().err
    (tmp_path / "prefect.db").write_text("no database at all, but long enough to look at " * 9)
    assert main([str(tmp_path / "x.db")]) == 1
    assert "could not be copied" in capsys.readouterr().err
    assert not (tmp_path / "x.db").exists()


def test_another_database_is_not_taken_for_it(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that SQLite left there would be the state of long ago."""
    monkeypatch.setenv("PREFECT_HOME", str(home))
    target = str(home / "backup.db")
    monkeypatch.setenv(ENV_URL[0], "postgresql+asyncpg://collab:secret@db.example/prefect")
    assert main([target]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "error: Prefect's database is postgresql+asyncpg://collab:***@db.example"
    )
    assert "pg_dump" in line
    assert main([target, "--home", str(home)]) == 0
    monkeypatch.setenv(ENV_URL[0], f"sqlite+aiosqlite:///{target}")
    assert main([str(home / "again.db")]) == 0
    assert counts(home / "again.db") == counts(home / "backup.db")
