"""Finding a title in SQL."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.titles import FOUND, MEANT, TITLES, found, meant, plant_titles


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        plant_titles(opened)
        yield opened


def test_what_is_found_and_in_which_order(con: duckdb.DuckDBPyConnection) -> None:
    for query in FOUND:
        rows = con.execute("SELECT title FROM find_movie(?)", [query]).fetchall()
        assert [title for (title,) in rows] == found(query), query


def test_what_is_closest(con: duckdb.DuckDBPyConnection) -> None:
    for query in MEANT:
        ask = "SELECT title, likeness FROM close_titles(?, k := 1)"
        rows = con.execute(ask, [query]).fetchall()
        assert [title for title, _ in rows] == ([meant(query)] if meant(query) else []), query
        assert all(likeness >= 0.85 for _, likeness in rows)
        assert con.execute("FROM find_movie(?)", [query]).fetchall() == []


def test_every_title_finds_itself_first(con: duckdb.DuckDBPyConnection) -> None:
    for title in TITLES:
        assert con.execute("SELECT title, fit FROM find_movie(?)", [title]).fetchone() == (title, 1)


def test_how_well_a_title_fits(con: duckdb.DuckDBPyConnection) -> None:
    for query, fits in {"heat": [1, 2, 3], "lambs silence": [4], "the silence": [1, 2]}.items():
        rows = con.execute("SELECT fit FROM find_movie(?)", [query]).fetchall()
        assert [fit for (fit,) in rows] == fits


def test_nothing_is_asked_nothing_is_found(con: duckdb.DuckDBPyConnection) -> None:
    for call in ("find_movie(NULL)", "close_titles(NULL)", "find_movie(999)"):
        assert con.execute(f"FROM {call}").fetchall() == []


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Alien (1979)", ["alien 1979"]),
        ("Lambs, The (1991)", ["lambs 1991", "lambs the 1991", "the lambs 1991"]),
        ("Hate (Haine, La)", ["haine", "haine la", "hate", "hate haine la", "la haine"]),
        ("d'Or (1999)", ["d or 1999", "dor 1999"]),
    ],
)
def test_what_the_table_holds(con: duckdb.DuckDBPyConnection, title: str, names: list[str]) -> None:
    ((folded,),) = con.execute("SELECT fold_title(?)", [title]).fetchall()
    assert folded == f"| {' | '.join(names)} |"
