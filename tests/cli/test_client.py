"""`collab` as a process, and `collab.connect()`."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import collab
from collab.base.paths import DataDir
from tests.cli.served import serve_by_hand


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process."""
    command = [sys.executable, "-m", "collab.cli", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)


def test_no_colours_in_a_pipe(served: DataDir) -> None:
    done = run("leaderboard", "--data-dir", str(served.root))
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_head_ends_it_quietly(served: DataDir) -> None:
    query = "SELECT i FROM range(300000) AS t(i)"
    command = f"{sys.executable} -m collab.cli sql --csv '{query}' | head -1"
    env = {**os.environ, "COLLAB_DATA_DIR": str(served.root)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=env)
    assert (done.stdout, done.stderr) == ("i\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    script = run("--print-completion", shell).stdout
    for word in ("leaderboard", "--min-ratings", "--data-dir"):
        assert word in script


def test_connect_is_read_only(data_dir: Path) -> None:
    with collab.connect() as con, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        con.execute("DELETE FROM movies")


def test_connect_to_a_database_that_is_open_for_writing(tmp_path: Path) -> None:
    path = serve_by_hand(tmp_path / "serve") / "movielens.duckdb"
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(collab.CollabError, match="open for writing"):
            collab.connect(tmp_path)
        writer.communicate("\n")


def test_connect_to_one_of_several_editions(tmp_path: Path) -> None:
    for edition in ("ml-100k", "ml-1m"):
        serve_by_hand(tmp_path / "serve", edition)
    with pytest.raises(collab.CollabError, match="ml-100k, ml-1m"):
        collab.connect(tmp_path)
    with collab.connect(tmp_path, edition="ml-1m") as con:
        assert con.execute("SELECT edition FROM publish_info").fetchall() == [("ml-1m",)]


def test_a_connection_keeps_its_snapshot(tmp_path: Path) -> None:
    folder = serve_by_hand(tmp_path / "serve", "ml-1m")
    question = "SELECT edition FROM publish_info"
    with collab.connect(tmp_path) as before:
        other = serve_by_hand(tmp_path / "elsewhere", "ml-100k") / "snapshots" / "000001"
        other.rename(folder / "snapshots" / "000002")
        (folder / "current").unlink()
        (folder / "current").symlink_to("snapshots/000002")
        with collab.connect(tmp_path) as after:
            assert after.execute(question).fetchall() == [("ml-100k",)]
        assert before.execute(question).fetchall() == [("ml-1m",)]
