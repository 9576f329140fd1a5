"""Each check finds exactly what it is for."""

import duckdb
import pytest

from collab.base.checks import CheckResult
from collab.movielens.checks import CheckError, refuse_errors, run_checks
from collab.movielens.editions import ML_32M, Counts, Edition

EDITION = Edition(
    name="t",
    folder="t",
    layout="csv",
    scale=ML_32M.scale,
    counts=Counts(ratings=3, users=2, movies=2),
)
TS = 1_000_000_000


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """Three good ratings of two movies by two users."""
    con = duckdb.connect()
    con.execute(f"""
        CREATE TABLE ratings AS FROM (VALUES
            (0::BIGINT, 1, 10, 4.5::FLOAT, {TS}::BIGINT), (1, 1, 20, 0.5, {TS}), (2, 2, 10, 5, {TS})
        ) AS t(position, user_id, movie_id, rating, ts);
        CREATE TABLE movies AS FROM (VALUES
            (10, 10, 'A (1999)', 1999::SMALLINT, ['Drama']), (20, 20, 'B (2000)', 2000, [])
        ) AS t(movie_id, item_id, title, release_year, genres);
        CREATE TABLE users AS FROM (VALUES (1), (2)) AS t(user_id);
        CREATE TABLE folds AS FROM (VALUES
            ('u1', 1::BIGINT, 1, 20)
        ) AS t(fold, position, user_id, movie_id);
    """)
    return con


def failed(con: duckdb.DuckDBPyConnection, *, trust: bool = False) -> dict[str, CheckResult]:
    return {r.name: r for r in run_checks(con, EDITION, trust=trust) if not r.passed}


def test_good_tables_pass_every_check(con: duckdb.DuckDBPyConnection) -> None:
    assert failed(con) == {}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("UPDATE ratings SET rating = 7 WHERE position = 1", {"rating_on_scale"}),
        ("UPDATE ratings SET rating = 4.2 WHERE position = 1", {"rating_on_scale"}),
        ("UPDATE ratings SET rating = NULL WHERE position = 1", {"ratings_without_nulls"}),
        (
            "UPDATE movies SET title = ' ' WHERE movie_id = 10",
            {"title_not_empty", "title_trimmed"},
        ),
        ("UPDATE movies SET title = 'MisÃ©rables'", {"title_unique", "title_not_garbled"}),
        ("UPDATE movies SET genres = NULL WHERE movie_id = 10", {"movies_without_nulls"}),
        ("INSERT INTO users VALUES (NULL)", {"users_without_nulls", "users_as_published"}),
        ("UPDATE ratings SET rating = 'nan' WHERE position = 1", {"rating_on_scale"}),
        ("UPDATE ratings SET ts = 1 WHERE position = 1", {"ts_since_1995"}),
        ("UPDATE ratings SET ts = 99999999999 WHERE position = 1", {"ts_since_1995"}),
        ("UPDATE ratings SET movie_id = 10 WHERE position = 1", {"user_movie_unique"}),
        (
            "UPDATE ratings SET movie_id = 77 WHERE position = 1",
            {"movie_known", "merge_keeps_rows"},
        ),
        ("UPDATE ratings SET user_id = 9 WHERE position = 1", {"user_known"}),
        (
            "UPDATE ratings SET user_id = -1 WHERE position = 1",
            {"ids_positive", "user_known"},
        ),
        (
            "INSERT INTO movies VALUES (0, 0, 'C (2001)', 2001, [])",
            {"ids_positive", "movies_as_published"},
        ),
        ("INSERT INTO users VALUES (0)", {"ids_positive", "users_as_published"}),
        (
            "UPDATE movies SET movie_id = 10",
            {"movie_id_unique", "movie_known", "merge_keeps_rows"},
        ),
        ("UPDATE movies SET title = NULL WHERE movie_id = 10", {"movies_without_nulls"}),
        ("UPDATE users SET user_id = 1", {"user_id_unique", "user_known"}),
        ("UPDATE movies SET title = 'A'", {"title_unique"}),
        ("UPDATE movies SET title = 'A ' WHERE movie_id = 10", {"title_trimmed"}),
        ("UPDATE movies SET release_year = NULL WHERE movie_id = 10", {"title_with_year"}),
        ("DELETE FROM ratings WHERE position = 1", {"ratings_as_published"}),
        (
            "DELETE FROM movies WHERE movie_id = 20",
            {"movies_as_published", "movie_known", "merge_keeps_rows"},
        ),
        ("INSERT INTO users VALUES (3)", {"users_as_published"}),
        ("DELETE FROM ratings", {"ratings_not_empty", "ratings_as_published"}),
        ("UPDATE folds SET position = NULL", {"fold_of_ratings"}),
    ],
)
def test_a_fault_is_found_by_its_checks(
    con: duckdb.DuckDBPyConnection, change: str, names: set[str]
) -> None:
    con.execute(change)
    assert set(failed(con)) == names


def test_the_first_failing_rows_are_kept(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("UPDATE ratings SET rating = 7 WHERE position = 1")
    result = failed(con)["rating_on_scale"]
    assert result.failures == 1
    assert result.first_rows == '[{"position":1,"user_id":1,"movie_id":20,"rating":7.0}]'


def test_an_error_stops_and_names_the_row(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("UPDATE ratings SET rating = 7 WHERE position = 1")
    with pytest.raises(CheckError, match=r"rating_on_scale: 1 failing, first: position=1"):
        refuse_errors(run_checks(con, EDITION, trust=False))


def test_trust_turns_counts_and_nothing_else_into_warnings(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DELETE FROM ratings WHERE position = 1")
    refuse_errors(run_checks(con, EDITION, trust=True))
    con.execute("UPDATE ratings SET rating = 7 WHERE position = 0")
    with pytest.raises(CheckError, match="1 of"):
        refuse_errors(run_checks(con, EDITION, trust=True))
