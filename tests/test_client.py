"""`collab` as a process, and `collab.connect()`."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import collab
from tests.release.planted import Published


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process."""
    command = [sys.executable, "-m", "collab.cli", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)


def test_no_colours_in_a_pipe(published: Published) -> None:
    done = run("leaderboard", "--data-dir", str(published.data.root))
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_head_ends_it_quietly(published: Published) -> None:
    query = "SELECT i FROM range(300000) AS t(i)"
    command = f"{sys.executable} -m collab.cli sql --csv '{query}' | head -1"
    env = {**os.environ, "COLLAB_DATA_DIR": str(published.data.root)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=env)
    assert (done.stdout, done.stderr) == ("i\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(shell: str) -> None:
    script = run("--print-completion", shell).stdout
    for word in ("leaderboard", "--min-ratings", "--data-dir"):
        assert word in script


def test_the_library_is_light_to_import() -> None:
    heavy = "('torch', 'prefect', 'pandas')"
    code = f"import sys, collab.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_connect_is_read_only(data_dir: Path) -> None:
    with collab.connect() as con, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        con.execute("DELETE FROM movies")


def test_connect_to_a_database_that_is_open_for_writing(
    published: Published, tmp_path: Path
) -> None:
    mine = published.copy_to(tmp_path / "data")
    path = mine.data.serve / "movielens.duckdb"
    path.resolve().chmod(0o644)
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(collab.CollabError, match="open for writing"):
            collab.connect(mine.data.root)
        writer.communicate("\n")
