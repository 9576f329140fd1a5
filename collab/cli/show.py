"""Rows on the terminal and in a pipe."""

import csv
import json
import math
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collab.base.terminal import terminal

ROWS_SHOWN = 100
UNLIMITED = 10_000  # columns of text, where nobody's window is too narrow
BATCH = 10_000


def console() -> Console:
    """Standard output; colours only on a terminal, and no wrapping in a pipe."""
    return terminal(UNLIMITED)


def say(text: str) -> None:
    """Print a line as it is."""
    sys.stdout.write(text + "\n")


def print_table(title: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows.

    Args:
        title: stands above them.
        columns: name to format, such as `.4f`; what has one is a number and goes to the right.
        rows: as many values each as there are columns; None is empty.
    """
    table = Table()
    for name, form in columns.items():
        table.add_column(name, justify="right" if form else "left")
    for row in rows:
        cells = zip(row, columns.values(), strict=True)
        table.add_row(*(Text("" if v is None else format(v, form)) for v, form in cells))
    console().print(Text(title, style="bold"), table, sep="\n")


def show_rows(rows: duckdb.DuckDBPyRelation) -> None:
    """Print the rows of a query as DuckDB does; it says what it left out."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED
    rows.show(max_width=width, max_rows=ROWS_SHOWN)


def fetch(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, without all of them in memory at once."""
    while rows := result.fetchmany(BATCH):
        yield from rows


def write_csv(result: duckdb.DuckDBPyConnection) -> None:
    """All rows as CSV with a header; NULL is empty, lists are JSON."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(name for name, *_ in result.description)
    for row in fetch(result):
        writer.writerow(flat(value) for value in row)


def flat(value: Any) -> Any:
    """A value for a field of CSV."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, default=plain, ensure_ascii=False)
    return value


def write_json_rows(result: duckdb.DuckDBPyConnection) -> None:
    """All rows as a JSON array of objects, one a line."""
    names = [name for name, *_ in result.description]
    before = "["
    for row in fetch(result):
        record = {name: finite(value) for name, value in zip(names, row, strict=True)}
        sys.stdout.write(before + "\n" + json.dumps(record, default=plain, ensure_ascii=False))
        before = ","
    sys.stdout.write("\n]\n" if before == "," else "[]\n")


def finite(value: Any) -> Any:
    """A value that JSON can hold: NaN and the infinities are null there."""
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(value: Any) -> Any:
    """What JSON has no type for: a decimal as a number, dates and the rest as text."""
    return float(value) if isinstance(value, Decimal) else str(value)
