"""docs/tables.md and what is published agree."""

import re
import shlex
from pathlib import Path

import pytest

import collab
from collab.cli.place import app
from tests.release.planted import Published

TEXT = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")


def described(section: str) -> set[str]:
    """The names in the first column of a section's table."""
    (part,) = re.findall(rf"(?s)\n## {section}\n(.*?)(?=\n## |\Z)", TEXT)
    cells = re.findall(r"(?m)^\| (`.*?) \|", part)
    return {name for cell in cells for name in re.findall(r"`(\w+)", cell)}


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"(?s)```{language}\n(.*?)```", TEXT)


@pytest.mark.parametrize(
    ("section", "sql"),
    [
        ("Tables", "SELECT table_name FROM duckdb_tables() WHERE NOT internal"),
        ("Views", "SELECT view_name FROM duckdb_views() WHERE NOT internal"),
        ("Macros", "SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal"),
    ],
)
def test_all_that_is_there_is_described_and_no_more(
    published: Published, section: str, sql: str
) -> None:
    with collab.connect(published.data.root) as con:
        there = {name for (name,) in con.execute(sql).fetchall()}
    assert described(section) == there


def test_every_query_runs(published: Published) -> None:
    queries = [query for block in blocks("sql") for query in block.split(";\n")]
    assert len(queries) >= 5
    with collab.connect(published.data.root) as con:
        for query in queries:
            con.execute(query)


def test_every_command_is_one() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line.split(" < ")[0]) for line in lines]
    assert len({command[1] for command in commands}) == 16
    for program, *arguments in commands:
        assert program == "collab"
        app.parse_args([" -" if word == "-" else word for word in arguments])  # as `collab` does


def test_what_says_how_sure_a_figure_is_is_described(published: Published) -> None:
    """Of the tables of runs, every column that was not there before splits and seeds were apart."""
    sql = """
        SELECT column_name FROM duckdb_columns()
        WHERE (table_name = 'standings' AND column_name NOT IN ('run_id', 'variant', 'place',
                                                                'judged_mse'))
           OR (table_name = 'publish_info' AND regexp_matches(column_name,
               '^(mean|y_|clip_|expected|shares|chosen|release|champion_run|regression|max|comp)'))
           OR (table_name = 'runs' AND column_name IN ('protocol', 'split_name', 'split_seed',
               'dataset', 'seed', 'role', 'as_of', 'is_release', 'repeated_rows', 'warm_mse',
               'cold_mse'))"""
    with collab.connect(published.data.root) as con:
        there = {name for (name,) in con.execute(sql).fetchall()}
    assert len(there) > 30
    assert {name for name in there if not re.search(rf"\b{name}\b", TEXT)} == set()
