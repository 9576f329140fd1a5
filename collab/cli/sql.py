"""Queries of one's own: `sql`, `examples`."""

import re
import sys
from dataclasses import replace
from itertools import islice

import duckdb

from collab.base.errors import CollabError
from collab.cli.app import Count, shown
from collab.cli.formats import named, save
from collab.cli.output import TERMINAL, Column, Out, Output
from collab.cli.place import Here, Place, app
from collab.cli.rows import Rows, stream
from collab.cli.show import say

ROWS_SHOWN = 100
QUERIES = "SELECT, FROM, WITH, VALUES, PIVOT, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN"
READ = {"SELECT", "EXPLAIN", "MULTI"}  # the last is a pivot
DOES = re.compile(r"\b(copy|export|import|create|attach|install|load|call|pragma|set)\b", re.I)


@app.command(
    help_epilogue=shown(
        'collab sql "FROM movie_bias_named LIMIT 5"',
        'collab sql "FROM movies" --csv > movies.csv',
        "collab sql - --json < query.sql",
        "collab sql \"FROM ratings SEMI JOIN read_csv('mine.csv') USING (user_id)\"",
    )
)
def sql(query: str, /, *, out: Out = TERMINAL, place: Here) -> None:
    """Run a query and show its rows, on a terminal the first hundred.

    It may read files of yours beside the tables; it changes none and writes none.

    Args:
        query: SQL, in DuckDB's dialect; - is what comes on standard input.
    """
    run_query(typed() if query.strip() == "-" else query, out, place)


@app.command(
    help_epilogue=shown("collab examples", "collab examples 3", "collab examples 3 --run --md")
)
def examples(
    number: Count | None = None, /, *, run: bool = False, out: Out = TERMINAL, place: Here
) -> None:
    """List queries to begin with, show one, or run it.

    Args:
        number: Of one of them.
        run: Run it.
    """
    rows = place.rows(
        "SELECT number, title, shows, sql FROM "
        "(SELECT row_number() OVER () AS number, * FROM example_queries) "
        "WHERE $number IS NULL OR number = $number",
        number=number,
    )
    found = list(rows.values)
    if not found:
        raise CollabError(f"There is no example {number}; `collab examples` lists them.")
    if run:
        if number is None:
            raise CollabError("Which one? `collab examples 3 --run` runs the third.")
        run_query(found[0][-1], out, place)
    elif number is None or not out.for_eyes:
        out.rows(rows, "Queries to begin with", [Column("number"), Column("title")])
        out.say("One of them: collab examples 1; its rows: collab examples 1 --run")
    else:
        _, title, shows, query = found[0]
        say(f"{title}\n\n{query};\n\n{shows}. Its rows: collab examples {number} --run")


def typed() -> str:
    """The query on standard input.

    Raises:
        CollabError: it is no text.
    """
    try:
        return "" if sys.stdin is None else sys.stdin.read()
    except UnicodeDecodeError as error:
        raise CollabError(f"Standard input is no text in {error.encoding}.") from error


def run_query(query: str, out: Output, place: Place) -> None:
    """Run a query and give its rows.

    Raises:
        CollabError: it is no query, is several, or DuckDB refuses it.
    """
    con = place.con
    try:
        kind = only_reads(con, query)
        if out.parquet:
            save(named(con.sql(query)), out.parquet)
            return
        rows = stream(con, query)
        if kind == "EXPLAIN" and out.for_eyes:
            for *_, plan in rows.values:
                say(plan)
        else:
            show_first(rows, out)
    except duckdb.Error as error:
        raise CollabError(str(error).strip().replace("\n\n", "\n")) from error


def only_reads(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """The kind of a query; whatever could write a file is none.

    Raises:
        CollabError: it is none, or several.
    """
    statements = con.extract_statements(query)
    if not statements:
        raise CollabError('The query is empty; give one such as "FROM leaderboard".')
    if len(statements) > 1:
        raise CollabError(f"There are {len(statements)} statements; give one query at a time.")
    kind = str(statements[0].type.name)
    # what is explained, or what a pivot stands in, need not be a query
    within = None if kind == "SELECT" else DOES.search(query)
    if kind not in READ or within:
        what = within[0].upper() if within else kind
        raise CollabError(
            f"The tables are read-only, and {what} is no query: begin with {QUERIES}.\n"
            "--csv, --json, --md and --parquet FILE write what a query finds."
        )
    return kind


def show_first(rows: Rows, out: Output) -> None:
    """Give all rows to another program, and as many to eyes as these may like to see."""
    if not out.for_eyes:
        out.rows(rows)
        return
    some = list(islice(rows.values, ROWS_SHOWN + 1))
    out.rows(replace(rows, values=some[:ROWS_SHOWN]))
    if len(some) > ROWS_SHOWN:
        out.say(f"The first {ROWS_SHOWN} rows; --csv, --json, --md and --parquet FILE give all.")
