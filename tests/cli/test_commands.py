"""`collab`, as an analyst types it."""

import re
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import collab
from collab.base.paths import DataDir
from collab.cli import main
from collab.cli.app import command_names, option_names
from collab.cli.place import app
from tests.cli.served import serve_by_hand
from tests.typed import Capture, cells, error, out

if TYPE_CHECKING:
    from tests.release.planted import Published


@pytest.mark.usefixtures("data_dir")
class TestMovies:
    def test_similar(self, capsys: Capture) -> None:
        printed = out(capsys, "similar", "silence of the lambs", "-k", "3")
        assert printed.startswith("Like Silence of the Lambs, The (1991) (id 4, 60 ratings)")
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

    def test_digits_that_are_no_id_are_a_title(self, capsys: Capture) -> None:
        assert "Like 2001: A Space Odyssey (1968)" in out(capsys, "similar", "2001")

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
        assert len(cells(out(capsys, "bias", "--min-ratings", "60", "--top", "99"))) == 30
        assert "lower --min-ratings" in error(capsys, "bias", "--min-ratings", "61")

    def test_a_genre_that_is_not_there(self, capsys: Capture) -> None:
        assert "Did you mean Drama?" in error(capsys, "bias", "--genre", "Dramma")


class TestOverviews:
    def test_leaderboard(self, capsys: Capture, data_dir: Path) -> None:
        printed = out(capsys, "leaderboard")
        rows = cells(printed)
        assert "Left out: collab_nn: about 7 minutes\n" in printed
        assert sorted(row[1] for row in rows) == ["dot_product_bias_wd *", "embedding_nn"]
        assert float(rows[0][2]) <= float(rows[1][2])

    def test_history(self, capsys: Capture, data_dir: Path) -> None:
        assert len(cells(out(capsys, "history"))) == 2
        (row,) = cells(out(capsys, "history", "--variant", "embedding_nn"))
        assert row[1] == "ml-latest-small-embedding_nn-0123456789ab"
        assert row[3] == "current"
        said = error(capsys, "history", "--variant", "embeding_nn")
        assert "Did you mean embedding_nn?" in said

    def test_snapshots_and_rollback(
        self, capsys: Capture, published: "Published", tmp_path: Path
    ) -> None:
        mine = published.copy_to(tmp_path / "data")
        mine.publish(force=True)
        there = ["--data-dir", str(mine.data.root)]
        assert [(row[0], row[2]) for row in cells(out(capsys, "snapshots", *there))] == [
            ("2", "served"),
            ("1", ""),
        ]
        assert "Snapshot 1 of " in out(capsys, "rollback", "1", *there)
        assert [(row[0], row[2]) for row in cells(out(capsys, "snapshots", *there))] == [
            ("2", "withdrawn"),
            ("1", "served"),
        ]
        assert "there are: 2, 1" in error(capsys, "rollback", "3", *there)

    def test_report(self, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        opened: list[str] = []
        monkeypatch.setattr(webbrowser, "open", opened.append)
        path = serve_by_hand(tmp_path / "serve") / "report.html"
        there = ["--data-dir", str(tmp_path)]
        path.unlink()
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
    assert main(["--help"]) == 0
    commands = re.findall(r"(?m)^│ (\w+) ", capsys.readouterr().out)
    assert set(commands) == command_names(app)
    assert len(commands) == 16
    for command in commands:
        assert main([command, "--help"]) == 0
        printed = capsys.readouterr().out
        examples = printed.partition("\nexample")[2]
        assert command in re.findall(r"(?m)^  collab (\w+)", examples)
        assert f"Usage: collab {command} " in printed
        assert "--data-dir PATH" in printed


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "²"])
def test_numbers_are_whole(capsys: Capture, number: str) -> None:
    assert main(["bias", f"--top={number}"]) == 2
    assert "no whole number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("leaderbord", "leaderboard"),
        ("bias --min-rating 3", "--min-ratings"),
        ("bias --edtion ml-1m", "--edition"),
        ("--data-dr there bias", "--data-dir"),
        ("sql --cvs x", "--csv"),
    ],
)
def test_a_mistyped_word_suggests_the_nearest(capsys: Capture, typed: str, suggested: str) -> None:
    assert main(typed.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"Did you mean {suggested}?" in said.err.replace('"', "")
    assert "Traceback" not in said.err
    assert re.search(r"See `collab (\w+ )?--help`", said.err)


def test_names_of_options() -> None:
    assert option_names(app["sql"]) == {"--csv", "--json", "--md", "--parquet"}
    assert option_names(app.meta) == {"--data-dir", "--edition", "--print-completion"}


def test_version(capsys: Capture) -> None:
    assert out(capsys, "--version").strip() == collab.__version__


@pytest.mark.usefixtures("data_dir")
def test_a_query_may_begin_with_a_comment(capsys: Capture) -> None:
    assert out(capsys, "sql", "--csv", "-- one\nSELECT 1 AS x") == "x\n1\n"


class TestEditions:
    @pytest.fixture
    def two(self, tmp_path: Path) -> DataDir:
        data = DataDir(tmp_path)
        for edition in ("ml-100k", "ml-1m"):
            serve_by_hand(data.serve, edition)
        return data

    def test_one_of_several_is_named(
        self, capsys: Capture, two: DataDir, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = ["--data-dir", str(two.root)]
        said = error(capsys, "leaderboard", *there)
        for word in ("ml-100k, ml-1m", "--edition", "COLLAB_EDITION"):
            assert word in said
        assert out(capsys, "leaderboard", *there, "--edition", "ml-1m").startswith("ml-1m, ")
        assert out(capsys, "--edition=ml-1m", *there, "leaderboard").startswith("ml-1m, ")
        monkeypatch.setenv("COLLAB_EDITION", "ml-100k")
        assert out(capsys, "leaderboard", *there).startswith("ml-100k, ")

    def test_one_that_is_not_published(self, capsys: Capture, two: DataDir) -> None:
        said = error(capsys, "bias", "--data-dir", str(two.root), "--edition", "ml-10k")
        assert "Unknown edition 'ml-10k'. Did you mean ml-100k? Known: ml-100k, ml-1m." in said


class TestStatus:
    def test_what_is_published_and_from_what(self, capsys: Capture, published: "Published") -> None:
        printed = out(capsys, "--data-dir", str(published.data.root), "status")
        assert "ml-latest-small" in printed
        assert "dot_product_bias_wd" in printed

    def test_where_nothing_is(self, capsys: Capture, tmp_path: Path) -> None:
        assert "othing" in out(capsys, "--data-dir", str(tmp_path), "status")
