"""`collab`, as an analyst types it: by its main function, and as a process where that matters."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import webbrowser
from pathlib import Path

import duckdb
import pytest

import collab
from collab.cli import main, make_parser
from tests.publish.planted import Published

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data_dir(published: Published, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The planted publication as the data folder of the environment."""
    monkeypatch.setenv("COLLAB_DATA_DIR", str(published.data.root))
    return published.data.root


def out(capsys: Capture, *arguments: str) -> str:
    """What a command that ends well prints."""
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def error(capsys: Capture, *arguments: str) -> str:
    """What a command that is refused says, in a line or two and without a traceback."""
    assert main(list(arguments)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    return printed.err


def cells(printed: str) -> list[list[str]]:
    """The cells of the printed tables' rows, without their headers."""
    lines = [line for line in printed.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


@pytest.mark.usefixtures("data_dir")
class TestSql:
    QUERY = (
        "SELECT movie_id, title, genres, NULL AS nothing "
        "FROM movies WHERE movie_id IN (3, 4) ORDER BY 1"
    )

    def test_a_table(self, capsys: Capture) -> None:
        printed = out(capsys, "sql", self.QUERY)
        assert "│        3 │ Amélie of Montmartre (2001)" in printed

    def test_csv(self, capsys: Capture) -> None:
        rows = list(csv.reader(io.StringIO(out(capsys, "sql", "--csv", self.QUERY))))
        assert rows == [
            ["movie_id", "title", "genres", "nothing"],
            ["3", "Amélie of Montmartre (2001)", '["Drama", "War"]', ""],
            ["4", "Silence of the Lambs, The (1991)", '["Comedy"]', ""],
        ]

    def test_json(self, capsys: Capture) -> None:
        rows = json.loads(out(capsys, "sql", "--json", self.QUERY))
        assert rows[0] == {
            "movie_id": 3,
            "title": "Amélie of Montmartre (2001)",
            "genres": ["Drama", "War"],
            "nothing": None,
        }
        assert json.loads(out(capsys, "sql", "--json", "FROM movies WHERE false")) == []
        odd = "SELECT 'nan'::FLOAT AS x, DATE '2000-01-02' AS d, 1.5::DECIMAL(4, 2) AS n"
        assert json.loads(out(capsys, "sql", "--json", odd)) == [
            {"x": None, "d": "2000-01-02", "n": 1.5}
        ]

    def test_all_rows_are_written_however_many(self, capsys: Capture) -> None:
        many = "SELECT i FROM range(25000) AS t(i)"
        assert len(out(capsys, "sql", "--csv", many).splitlines()) == 25001
        assert len(json.loads(out(capsys, "sql", "--json", many))) == 25000

    def test_parquet(self, capsys: Capture, tmp_path: Path) -> None:
        target = tmp_path / "mine.parquet"
        out(capsys, "sql", self.QUERY, "--parquet", str(target))
        assert duckdb.read_parquet(str(target)).project("movie_id").fetchall() == [(3,), (4,)]

    def test_parquet_where_it_cannot_be_written(self, capsys: Capture, tmp_path: Path) -> None:
        said = error(capsys, "sql", self.QUERY, "--parquet", str(tmp_path / "no" / "x.parquet"))
        assert "No such file" in said

    @pytest.mark.parametrize("query", ["SELEC 1", "FROM nowhere", "SELECT 1/'x'::INTEGER"])
    @pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
    def test_a_mistake_in_the_query(self, capsys: Capture, query: str, form: list[str]) -> None:
        assert "Traceback" not in error(capsys, "sql", query, *form)

    @pytest.mark.parametrize("query", ["", "-- nothing"])
    def test_no_query(self, capsys: Capture, query: str) -> None:
        assert "The query is empty" in error(capsys, "sql", query)

    @pytest.mark.parametrize("query", ["DROP TABLE movies", "UPDATE movies SET title = ''"])
    def test_nothing_can_be_changed(self, capsys: Capture, query: str) -> None:
        assert "read-only" in error(capsys, "sql", query)


@pytest.mark.usefixtures("data_dir")
class TestMovies:
    def test_similar(self, capsys: Capture) -> None:
        printed = out(capsys, "similar", "silence of the lambs", "-k", "3")
        assert printed.startswith("Like Silence of the Lambs, The (1991) (id 4, 30 ratings)")
        assert [row[0] for row in cells(printed)] == ["1", "2", "3"]

    def test_similar_of_several_movies(self, capsys: Capture) -> None:
        printed = out(capsys, "similar", "war of the worlds", "-k", "1")
        assert "Like War of the Worlds (1953) (id 8, " in printed
        assert "Like War of the Worlds (2005) (id 9, " in printed

    def test_similar_of_too_many_lists_them(self, capsys: Capture) -> None:
        printed = out(capsys, "similar", "planted")
        assert printed.startswith("21 movies fit 'planted'")
        assert len(cells(printed)) == 21
        assert "Choose one by its id, such as: collab similar " in printed

    def test_similar_by_id(self, capsys: Capture) -> None:
        assert "Like Aliens (1986)" in out(capsys, "similar", "2")

    def test_similar_of_none(self, capsys: Capture) -> None:
        assert "No movie fits 'nosuch'" in error(capsys, "similar", "nosuch")

    def test_bias(self, capsys: Capture) -> None:
        rows = cells(out(capsys, "bias", "--top", "2", "--bottom", "1"))
        assert [row[0] for row in rows] == ["1", "2", "30"]
        assert rows[0][1] == "War of the Worlds (1953)"

    def test_bias_of_a_genre_whatever_its_case(self, capsys: Capture, data_dir: Path) -> None:
        rows = cells(out(capsys, "bias", "--genre", "comedy", "--top", "99", "--bottom", "0"))
        with collab.connect(data_dir) as con:
            expected = con.execute(
                "SELECT title FROM movie_bias_named WHERE list_contains(genres, 'Comedy')"
            ).fetchall()
        assert [(row[1],) for row in rows] == expected

    def test_bias_of_movies_with_enough_ratings(self, capsys: Capture) -> None:
        assert len(cells(out(capsys, "bias", "--min-ratings", "30", "--top", "99"))) == 30
        assert "lower --min-ratings" in error(capsys, "bias", "--min-ratings", "31")

    def test_a_genre_that_is_not_there(self, capsys: Capture) -> None:
        assert "Did you mean Drama?" in error(capsys, "bias", "--genre", "Dramma")


class TestOverviews:
    def test_leaderboard(self, capsys: Capture, data_dir: Path) -> None:
        rows = cells(out(capsys, "leaderboard"))
        assert sorted(row[1] for row in rows) == ["dot_product_bias_wd *", "embedding_nn"]
        assert float(rows[0][2]) <= float(rows[1][2])

    def test_history(self, capsys: Capture, data_dir: Path) -> None:
        assert len(cells(out(capsys, "history"))) == 2
        (row,) = cells(out(capsys, "history", "--variant", "embedding_nn"))
        assert row[1] == "embedding_nn"
        assert row[-1] == "current"
        said = error(capsys, "history", "--variant", "embeding_nn")
        assert "Did you mean embedding_nn?" in said

    def test_snapshots_and_rollback(
        self, capsys: Capture, published: Published, tmp_path: Path
    ) -> None:
        mine = published.copy_to(tmp_path / "data")
        mine.publish(force=True)
        there = ["--data-dir", str(mine.data.root)]
        assert [(row[0], row[-1]) for row in cells(out(capsys, "snapshots", *there))] == [
            ("2", "served"),
            ("1", ""),
        ]
        assert "Snapshot 1 of " in out(capsys, "rollback", "1", *there)
        assert [(row[0], row[-1]) for row in cells(out(capsys, "snapshots", *there))] == [
            ("2", "withdrawn"),
            ("1", "served"),
        ]
        assert "there are: 2, 1" in error(capsys, "rollback", "3", *there)

    def test_report(
        self,
        capsys: Capture,
        published: Published,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        opened: list[str] = []
        monkeypatch.setattr(webbrowser, "open", opened.append)
        path = published.copy_to(tmp_path / "data").data.serve / "report.html"
        there = ["--data-dir", str(tmp_path / "data")]
        path.unlink(missing_ok=True)
        assert "python -m flows.pipeline" in error(capsys, "report", *there)
        path.write_text("x")
        assert out(capsys, "report", *there) == f"{path}\n"
        assert opened == []
        out(capsys, "report", "--open", *there)
        assert opened == [path.as_uri()]


@pytest.mark.parametrize(
    "command",
    [
        ["leaderboard"],
        ["sql", "SELECT 1"],
        ["similar", "x"],
        ["bias"],
        ["history"],
        ["snapshots"],
        ["rollback", "1"],
        ["report"],
    ],
    ids=lambda command: command[0],
)
def test_without_a_publication(capsys: Capture, tmp_path: Path, command: list[str]) -> None:
    for arguments in (
        ["--data-dir", str(tmp_path), *command],
        [*command, "--data-dir", str(tmp_path)],
    ):
        said = error(capsys, *arguments)
        assert "python -m flows.pipeline" in said
        assert str(tmp_path) in said
    assert list(tmp_path.iterdir()) == []


def test_every_command_shows_an_example(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"(?m)^    (\w+) ", capsys.readouterr().out)
    assert len(commands) == 8
    for command in commands:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        (example,) = re.findall(r"(?m)^example:\n  collab (\w+)", capsys.readouterr().out)
        assert example == command


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "²"])
def test_numbers_are_whole(capsys: Capture, number: str) -> None:
    with pytest.raises(SystemExit) as refused:
        make_parser().parse_args(["bias", f"--top={number}"])
    assert refused.value.code == 2
    assert "no whole number" in capsys.readouterr().err


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
