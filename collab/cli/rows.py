"""Rows with the names and types of their columns: what every command shows or writes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

BATCH = 10_000
ZONED = ("TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE")
WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "BIGNUM"}
NUMBERS = WHOLE | {"FLOAT", "DOUBLE", "DECIMAL"}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows.

    names: of the columns, all different; snake_case, as in the tables. A name that begins with `_`
        is of what only eyes are shown, such as a mark.
    types: of the columns, as DuckDB writes them, such as `VARCHAR[]`.
    values: as many a row as there are names; only a query's are not a list.
    """

    names: Sequence[str]
    types: Sequence[str]
    values: Iterable[Sequence[Any]]

    @classmethod
    def of(cls, columns: Mapping[str, str], values: Sequence[Sequence[Any]]) -> "Rows":
        """Rows made in Python, of columns given as name and type, `{"seq": "INTEGER"}`."""
        return cls(names=list(columns), types=list(columns.values()), values=values)

    def bare(self) -> "Rows":
        """The rows without what only eyes are shown."""
        kept = [place for place, name in enumerate(self.names) if not name.startswith("_")]
        if len(kept) == len(self.names):
            return self
        return Rows(
            names=[self.names[place] for place in kept],
            types=[self.types[place] for place in kept],
            values=[[row[place] for place in kept] for row in self.values],
        )

    def numbers(self) -> dict[str, bool]:
        """Of each column whether it holds numbers."""
        kinds = (kind.split("(")[0].removeprefix("U") for kind in self.types)
        return {name: kind in NUMBERS for name, kind in zip(self.names, kinds, strict=True)}


def stream(
    con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any] | None = None
) -> Rows:
    """The rows of a query, which is run as they are taken and never held as a whole.

    Columns of one name are told apart as DuckDB does it; what has a time zone comes as text, since
    DuckDB needs a package for it that nothing else here needs.
    """
    result = con.execute(sql, values or {})
    names = distinct([name for name, *_ in result.description])
    types = [str(kind) for _, kind, *_ in result.description]
    if any(kind in ZONED for kind in types):
        cast = ("::VARCHAR" if kind in ZONED else "" for kind in types)
        columns = (f"#{place}{text}" for place, text in enumerate(cast, start=1))
        query = sql.strip().rstrip(";")
        result = con.execute(f"SELECT {', '.join(columns)} FROM (\n{query}\n)", values or {})  # noqa: S608
    return Rows(names=names, types=types, values=fetch(result))


def read(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any]) -> Rows:
    """All rows of a query."""
    rows = stream(con, sql, values)
    return Rows(names=rows.names, types=rows.types, values=list(rows.values))


def fetch(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """The rows of a result, without all of them in memory at once."""
    while rows := result.fetchmany(BATCH):
        yield from rows


def distinct(names: Sequence[str]) -> list[str]:
    """Names, of which the second `x` is `x_1`; case does not tell names apart in SQL."""
    made: list[str] = []
    taken: set[str] = set()
    for name in names:
        new, number = name, 0
        while new.casefold() in taken:
            number += 1
            new = f"{name}_{number}"
        taken.add(new.casefold())
        made.append(new)
    return made
