"""What changed between two publications, planted by hand."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import collab
from collab.base.errors import CollabError
from collab.changes import Change, Changes, compare_runs, publication_changes
from collab.cli import main
from tests.cli.served import add, fill
from tests.release.planted import Published
from tests.typed import Capture, cells, error, out

CHAMPION = "ml-latest-small-dot_product_bias_wd-0123456789ab"
Edit = Callable[[duckdb.DuckDBPyConnection], None]


def rated_enough(con: duckdb.DuckDBPyConnection) -> None:
    """60 ratings of each movie, as far as the biases know; predictions of two users' ratings."""
    con.execute("UPDATE movie_bias SET n_ratings = 60")
    con.execute("UPDATE runs SET split_name = 'u1', n_valid = 4")
    for position in range(4):
        told = {"position": position, "user_id": position // 2, "rating": 4.0, "prediction": 3.0}
        add(con, "predictions", run_id=CHAMPION, **told)


def edited(con: duckdb.DuckDBPyConnection) -> None:
    """What the later publication has besides."""
    con.execute("UPDATE publish_info SET expected_mse = 0.5, champion_variant = 'als'")
    con.execute("INSERT INTO ratings BY NAME SELECT 900 AS position, 31 AS user_id, 1 AS movie_id, "
                "5 AS rating, 0 AS ts")  # fmt: skip
    # Aliens from the third place to the last, so that 28 others go up by one
    con.execute("UPDATE movie_bias SET bias = -9 WHERE item_id = 2")
    # but for one that fewer than 50 have rated
    con.execute("UPDATE movie_bias SET bias = 9, n_ratings = 49 WHERE item_id = 30")
    con.execute("UPDATE movie_similarity SET neighbor_id = 9 WHERE item_id = 1 AND rank = 2")
    con.execute("UPDATE predictions SET prediction = 3.5")
    con.execute("DELETE FROM runs WHERE variant = 'embedding_nn'")
    add(con, "runs", run_id="new", variant="als", is_current=True)


def older(con: duckdb.DuckDBPyConnection) -> None:
    """What an older version did not publish."""
    con.execute("DROP TABLE movie_similarity CASCADE")
    con.execute("ALTER TABLE standings DROP COLUMN judged_mse")


def written(path: Path, before: Path, edit: Edit) -> Path:
    """A publication's tables: those of another, edited."""
    shutil.copyfile(before, path)
    with duckdb.connect(path) as con:
        edit(con)
    return path


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier publication's tables."""
    path = tmp_path_factory.mktemp("before") / "movielens.duckdb"
    with duckdb.connect(path) as con:
        con.begin()
        fill(con, "ml-latest-small")
        rated_enough(con)
        con.commit()
    return path


@pytest.fixture(scope="module")
def after(before: Path) -> Path:
    """The later publication's tables."""
    return written(before.with_name("after.duckdb"), before, edited)


@pytest.fixture(scope="module")
def found(before: Path, after: Path) -> Changes:
    """The changes from one to the other."""
    return publication_changes(before, after)


def test_what_is_counted(found: Changes) -> None:
    assert found.left_out == []
    assert found.of("data") == [
        Change(part="data", name="ratings", before="1802", after="1803", change=1)
    ]
    (recipe,) = found.of("champion")
    assert (recipe.name, recipe.before, recipe.after) == ("recipe", "", "als")


def test_the_champion_is_compared_on_equal_rows(found: Changes) -> None:
    expected, champion = found.of("error")
    assert (expected.name, expected.before, expected.after) == ("expected MSE", "0.0000", "0.5000")
    # from 1 to 0.25 on every row: whichever users are drawn
    assert (champion.before, champion.after) == ("1.0000", "0.2500")
    ends = [champion.change, champion.low, champion.high]
    assert ends == pytest.approx([-0.75, -0.75, -0.75])


def test_moves_of_bias_are_among_movies_rated_often_enough(found: Changes) -> None:
    first, *others = found.of("bias")
    # movie 8 is first, movie 1 second, and 30 is not rated often enough
    assert first == Change(part="bias", name="Aliens (1986)", before="3", after="29", change=26)
    assert [change.change for change in others] == [-1] * 9


def test_neighbours_that_came_and_went(found: Changes) -> None:
    # the neighbours of movie 1 were the movies 2, 3 and 4 in this order
    assert found.of("neighbours") == [
        Change(
            part="neighbours",
            name="Alien (1979)",
            before="Amélie of Montmartre (2001)",
            after="War of the Worlds (2005)",
        )
    ]


def test_runs_that_are_new_or_gone(found: Changes) -> None:
    gone = "ml-latest-small-embedding_nn-0123456789ab"
    assert [(run.name, run.before, run.after) for run in found.of("run")] == [
        ("als", None, "new"),
        ("embedding_nn", gone, None),
    ]


def test_a_publication_of_an_older_version_lacks_tables(before: Path, after: Path) -> None:
    found = publication_changes(written(before.with_name("older"), before, older), after)
    assert found.left_out == [
        "error: the earlier publication has no column standings.judged_mse",
        "neighbours: the earlier publication has no table movie_similarity",
    ]
    assert found.of("bias")
    assert [change.name for change in found.of("error")] == ["champion on equal rows"]


def test_no_publication(tmp_path: Path) -> None:
    with pytest.raises(CollabError, match="cannot be opened"):
        publication_changes(tmp_path / "nosuch.duckdb", tmp_path / "nosuch.duckdb")


class TestCommands:
    def test_diff(self, capsys: Capture, tmp_path: Path, before: Path, after: Path) -> None:
        folder = tmp_path / "serve" / "ml-latest-small"
        for seq, path in (("000001", before), ("000002", after)):
            (folder / "snapshots" / seq).mkdir(parents=True)
            shutil.copyfile(path, folder / "snapshots" / seq / "movielens.duckdb")
        (folder / "current").symlink_to("snapshots/000002")
        there = ["--data-dir", str(tmp_path)]
        # without records it is not known which was served before
        assert "No publication comes before 2; there are: 2, 1" in error(capsys, "diff", *there)
        printed = out(capsys, "diff", "1", "2", *there)
        assert printed.startswith("From publication 1 to 2\n")
        assert ["ratings", "1802", "1803", "+1"] in cells(printed)
        assert ["Aliens (1986)", "3", "29", "+26"] in cells(printed)
        assert "There is no publication 7; there are: 2, 1" in error(capsys, "diff", "7", *there)

    def test_diff_from_the_one_before(
        self, capsys: Capture, published: Published, tmp_path: Path
    ) -> None:
        mine = published.copy_to(tmp_path / "data")
        mine.publish(force=True)
        printed = out(capsys, "diff", "--data-dir", str(mine.data.root))
        assert printed.startswith("From publication 1 to 2\n")
        assert "Unchanged: data, bias, neighbours, run" in printed

    def test_compare(self, capsys: Capture, published: Published) -> None:
        there = ["--data-dir", str(published.data.root)]
        a, b = (run.record.variant for run in published.runs)
        printed = out(capsys, "compare", a, b, *there)
        assert f"{a} errs less than {b}: the 95 % interval excludes zero." in printed
        assert f"{a} errs less than {b}" in out(capsys, "compare", b, a, *there)
        assert "They do not differ" in out(capsys, "compare", a, published.runs[0].run_id, *there)
        further = published.confirmations[0].run_id
        assert "No interval: validated on other rows: " in out(
            capsys, "compare", a, further, *there
        )
        assert f"Did you mean {a}?" in error(capsys, "compare", a[:-1], b, *there)

    def test_two_are_needed(self, capsys: Capture) -> None:
        assert main(["compare", "als"]) == 2
        assert "Traceback" not in capsys.readouterr().err


def test_measures_in_python(published: Published) -> None:
    a, b = published.runs
    with collab.connect(published.data.root) as con:
        judged, *others = compare_runs(con, a.run_id, b.record.variant)
    assert judged.measure == "judged_mse"
    assert judged.low is not None
    assert judged.high is not None
    assert judged.low < (judged.b_minus_a or 0) < judged.high
    assert {measure.low for measure in others} == {None}
