"""What changed from one publication of an edition to another."""

from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path

import duckdb

from collab.base.database import open_database, quote
from collab.base.errors import CollabError
from collab.changes.parts import CHAMPIONS, PAIRED, PARTS, Part

PAIRED_DIFFERENCE = files("collab.release") / "sql" / "paired.sql"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is not as it was.

    part: what it belongs to: publication, data, champion, error, bias, neighbours or run.
    name: what changed.
    before, after: in words; None where it was not there.
    change: of a number, with the ends of its 95 % interval where that is known.
    """

    part: str
    name: str
    before: str | None = None
    after: str | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What changed from one publication to another.

    rows: in the order of their parts.
    left_out: the parts that a publication has no tables for, as one made by an older version, and
        why the champions' difference has no interval; a line each.
    """

    rows: list[Change]
    left_out: list[str]

    def of(self, part: str) -> list[Change]:
        """The changes of one part."""
        return [change for change in self.rows if change.part == part]


def publication_changes(before: Path, after: Path) -> Changes:
    """What changed from one publication to another of the same edition.

    Args:
        before, after: their DuckDB files.

    Raises:
        CollabError: one cannot be opened.
    """
    rows: list[Change] = []
    left_out: list[str] = []
    with open_database() as con:
        attach(con, "before", before)
        attach(con, "after", after)
        for part in (*PARTS, CHAMPIONS):
            if missing := lacking(con, part):
                left_out.append(f"{part.name}: {missing}")
            else:
                rows += changes_of(con, part)
    order = [part.name for part in PARTS]
    return Changes(rows=sorted(rows, key=lambda row: order.index(row.part)), left_out=left_out)


def attach(con: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Open a publication under a name."""
    try:
        con.execute(f"ATTACH '{quote(path)}' AS {name} (READ_ONLY)")
    except duckdb.IOException as error:
        reason = str(error).splitlines()[0]
        raise CollabError(f"The publication {path} cannot be opened: {reason}") from error


def lacking(con: duckdb.DuckDBPyConnection, part: Part) -> str:
    """What the two publications have not of what a part needs, in words; empty: nothing."""
    found = con.execute(
        "SELECT database_name, table_name, column_name FROM duckdb_columns() "
        "WHERE database_name IN ('before', 'after')"
    ).fetchall()
    tables, columns = {row[:2] for row in found}, set(found)
    for side, which in (("before", "the earlier"), ("after", "the later")):
        for table, needed in part.needs.items():
            if (side, table) not in tables:
                return f"{which} publication has no table {table}"
            for column in needed.split():
                if (side, table, column) not in columns:
                    return f"{which} publication has no column {table}.{column}"
    return ""


def changes_of(con: duckdb.DuckDBPyConnection, part: Part) -> list[Change]:
    """The changes that a part's query finds."""
    if part is CHAMPIONS:
        con.execute(PAIRED)
        con.execute(PAIRED_DIFFERENCE.read_text(encoding="utf-8"))
    names = [field.name for field in fields(Change)]
    rows = con.execute(part.sql).fetchall()
    return [Change(**dict(zip(names, row, strict=True))) for row in rows]
