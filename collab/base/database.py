"""DuckDB as this project opens it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def open_database(
    path: Path | str = ":memory:",
    *,
    read_only: bool = False,
    config: Mapping[str, Any] | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection that prints nothing of its own: a progress bar would stand among the rows."""
    con = duckdb.connect(path, read_only=read_only, config=dict(config or {}))
    with suppress(duckdb.InvalidInputException):  # in a notebook without widgets, which has no bar
        con.execute("SET enable_progress_bar = false")
    return con


def insert(con: duckdb.DuckDBPyConnection, table: str, frame: "pd.DataFrame | pa.Table") -> None:
    """Insert a frame's rows; the columns go by name and are cast to the table's types."""
    con.register("frame", frame)
    con.execute(f"INSERT INTO {table} BY NAME FROM frame")
    con.unregister("frame")


def quote(path: Path) -> str:
    """A path for a SQL string literal."""
    return str(path).replace("'", "''")


def one_file(path: Path) -> str:
    """A path as the string literal of a function that reads files: this one and no other.

    What stands there is a pattern to DuckDB: `work [x]/a` would be read from `work x/a`.
    """
    return "'" + re.sub(r"[\[*?]", r"[\g<0>]", quote(path)) + "'"


def read_parquet(path: Path) -> str:
    """The SQL of a Parquet file's rows: a folder `day=3` on its way is no column of it."""
    return f"read_parquet({one_file(path)}, hive_partitioning = false)"
