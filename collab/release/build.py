"""Build a publication's database and prove it before anyone reads it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from collab.base.database import open_database, quote, read_parquet

DATABASE = "movielens.duckdb"
STORAGE_VERSION = "v1.4.0"  # so that DuckDB 1.4 and 1.5 can open it
MEMORY = "512MB"  # what DuckDB may hold while it builds: without a limit it keeps what it has read

Step = Callable[[duckdb.DuckDBPyConnection], None]


def build(folder: Path, fill: Step, check: Step, at_hand: Mapping[str, Path]) -> None:
    """Make the database and its Parquet copies, and compare the two by reading them again.

    Args:
        folder: to be filled.
        fill: creates the tables in an empty database.
        check: raises where the tables may not be published.
        at_hand: tables of which a Parquet file is there already; it is shared, not written again.

    Raises:
        OSError: a table differs from its copy, or the database is not finished.
    """
    path = folder / DATABASE
    with tempfile.TemporaryDirectory(dir=folder) as spill, connect_to_build(spill) as con:
        con.execute(f"ATTACH '{quote(path)}' AS served")
        con.execute("USE served")
        fill(con)
        check(con)
        (folder / "parquet").mkdir()
        for table in table_names(con):
            target = folder / "parquet" / f"{table}.parquet"
            if table in at_hand:
                share(at_hand[table], target)
            else:
                stored = con.sql(f"FROM {table} SELECT {typed(con, table)}")
                stored.write_parquet(str(target), compression="zstd")
        con.execute("CHECKPOINT served")
    if path.with_name(f"{DATABASE}.wal").exists():
        raise OSError("the database was left with a write-ahead log")
    compare_with_parquet(folder)


def share(source: Path, target: Path) -> None:
    """Give a file a second name; where file systems or owners do not allow that, copy it.

    A served file is never written again, so it is read-only under both names from here on.
    """
    try:
        source.chmod(0o444)
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def connect_to_build(spill: str) -> duckdb.DuckDBPyConnection:
    """A connection in memory; what does not fit there goes to the folder `spill`."""
    return open_database(
        config={
            "storage_compatibility_version": STORAGE_VERSION,
            "temp_directory": spill,
            "memory_limit": MEMORY,
        }
    )


def table_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of the database in use, by name."""
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY 1"
    ).fetchall()
    return [str(name) for (name,) in rows]


def compare_with_parquet(folder: Path) -> None:
    """Open the database again, read-only, and compare each table's rows with its Parquet file.

    Raises:
        OSError: a table differs in its count or in its content.
    """
    with open_database(folder / DATABASE, read_only=True) as con:
        for table in table_names(con):
            parquet = read_parquet(folder / "parquet" / f"{table}.parquet")
            columns = typed(con, table)
            served = summary(con, columns, table)
            if served != summary(con, columns, parquet):
                raise OSError(f"the table {table} differs from its Parquet copy")


def summary(con: duckdb.DuckDBPyConnection, columns: str, source: str) -> list[tuple[int, int]]:
    """How many rows there are, and a sum over the content of each, in whatever order."""
    query = f"SELECT count(*), sum(hash(t)::HUGEINT) FROM (SELECT {columns} FROM {source}) AS t"  # noqa: S608
    return con.execute(query).fetchall()


def typed(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """The columns that a table stores, cast to their types: a file at hand may hold wider ones.

    What is worked out as it is read has an expression for its default and is not among them.
    """
    columns = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND table_name = $table "
        "AND column_default IS NULL ORDER BY column_index",
        {"table": table},
    ).fetchall()
    return ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in columns)


def seal_read_only(folder: Path) -> None:
    """Bring every file to the disk and take away the right to write it."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)
        path.chmod(0o444 if path.is_file() else 0o755)


def sync(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
