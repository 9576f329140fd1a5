"""Rows for other programs: CSV, JSON and Parquet, with every digit; and Markdown, as shown."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from collab.base.errors import CollabError
from collab.cli.rows import Rows, distinct
from collab.cli.show import Shown
from collab.cli.streams import holds_all, write
from collab.cli.values import exact, field, plain


def write_csv(rows: Rows) -> None:
    """All rows as CSV with a header; NULL is empty, lists are JSON."""
    write(",".join(map(field, rows.names)) + "\n")
    for row in exactly(rows):
        # a line without anything is none: a single NULL is quoted
        write((",".join(map(field, row)) or '""') + "\n")


def write_json(rows: Rows) -> None:
    """All rows as a JSON array of objects, one a line."""
    before = "["
    for row in exactly(rows):
        record = dict(zip(rows.names, map(plain, row), strict=True))
        write(f"{before}\n{as_json(record)}")
        before = ","
    write("\n]\n" if before == "," else "[]\n")


def as_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, whose characters are escaped where the output cannot hold all there are."""
    return json.dumps(plain(value), ensure_ascii=not holds_all(), indent=indent)


def exactly(rows: Rows) -> Iterator[Sequence[Any]]:
    """The rows with every number in as few digits as say it exactly."""
    ways: list[Callable[[Any], Any]] = [exact(kind) for kind in rows.types]
    for row in rows.values:
        yield [way(value) for way, value in zip(ways, row, strict=True)]


def write_markdown(columns: Sequence[Shown]) -> None:
    """A table of Markdown; numbers stand to the right."""
    rule = ["---:" if column.number else "---" for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    for row in ([column.head for column in columns], rule, *rows):
        write(f"| {' | '.join(map(escaped, row))} |\n")


def escaped(text: str) -> str:
    """A text for a cell of Markdown, which has no lines and no bars."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")


def write_parquet(rows: Rows, path: Path) -> None:
    """All rows into a Parquet file, with the types they have.

    Raises:
        CollabError: it cannot be written.
    """
    columns = ", ".join(
        f"{quoted(n)} {kind}" for n, kind in zip(rows.names, rows.types, strict=True)
    )
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE rows ({columns})")
        values = [list(row) for row in rows.values]
        if values:
            con.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(rows.names))})", values)  # noqa: S608
        save(con.table("rows"), path)


def named(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The relation, its columns named as `rows.distinct` does."""
    names = distinct(relation.columns)
    if names == relation.columns:
        return relation
    renamed = (f"#{place} AS {quoted(name)}" for place, name in enumerate(names, start=1))
    return relation.project(", ".join(renamed))


def save(relation: duckdb.DuckDBPyRelation, path: Path) -> None:
    """A relation into a Parquet file.

    Raises:
        CollabError: it cannot be written.
    """
    try:
        relation.write_parquet(str(path), compression="zstd")
    except duckdb.IOException as error:
        raise CollabError(f"{path} cannot be written: {str(error).splitlines()[0]}") from error


def quoted(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
