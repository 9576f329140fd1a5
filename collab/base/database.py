"""DuckDB as this project opens it."""

from collections.abc import Mapping
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
