"""What the published tables may not lack is looked for in the data before anything is trained."""

import duckdb
import pytest

from collab.base.checks import run_check
from collab.movielens.checks import REQUIRED, row_checks
from collab.movielens.editions import ML_LATEST
from collab.release.tables import SCRIPTS, SQL

OF_DATA = ("ratings", "movies", "users")
# worked out when the tables are filled, whatever the data
DERIVED = {("movies", "n_ratings"), ("movies", "title_folded")}


@pytest.fixture(scope="module")
def schema() -> duckdb.DuckDBPyConnection:
    """The published tables, empty."""
    con = duckdb.connect()
    for script in SCRIPTS:
        con.execute((SQL / script).read_text(encoding="utf-8"))
    return con


def test_what_is_declared_is_what_is_checked(schema: duckdb.DuckDBPyConnection) -> None:
    declared = schema.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE NOT is_nullable AND table_name IN $tables",
        {"tables": OF_DATA},
    ).fetchall()
    checked = {(table, column) for table, columns in REQUIRED.items() for column in columns}
    assert set(declared) - DERIVED == checked


def test_each_is_missed_where_it_lacks() -> None:
    con = duckdb.connect()
    con.execute("""
        CREATE TABLE ratings AS SELECT 0 AS position, 1 AS user_id, 2 AS movie_id, 3.0 AS rating,
            1_000_000_000 AS ts;
        CREATE TABLE movies AS SELECT 2 AS movie_id, 2 AS item_id, 'A (1999)' AS title,
            1999 AS release_year, ['War'] AS genres;
        CREATE TABLE users AS SELECT 1 AS user_id;
        CREATE TABLE folds (fold VARCHAR, position BIGINT);
    """)
    checks = {check.name: check for check in row_checks(ML_LATEST)}
    for table, columns in REQUIRED.items():
        check = checks[f"{table}_without_nulls"]
        assert check.severity == "error"
        for column in columns:
            assert run_check(con, check).failures == 0
            con.execute(f"BEGIN; UPDATE {table} SET {column} = NULL")
            assert run_check(con, check).failures == 1, column
            con.execute("ROLLBACK")


@pytest.mark.parametrize("title", ["!?", "(1999)", ", The (1999)", "\u200b", "日本 (1999)", " "])
def test_what_is_worked_out_is_never_missing(schema: duckdb.DuckDBPyConnection, title: str) -> None:
    found = schema.execute("SELECT fold_title($title) IS NOT NULL", {"title": title})
    assert found.fetchall() == [(True,)]
