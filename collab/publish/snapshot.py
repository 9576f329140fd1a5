"""Publish by flipping one link to a fresh, finished, read-only snapshot.

Below `serve`:

    snapshots/000042/{movielens.duckdb, parquet/, report.html, snapshot.json}
    current -> snapshots/000042            the one link that is flipped
    movielens.duckdb -> current/movielens.duckdb, parquet, report.html and latest.json
                                           likewise

A reader that has the file open keeps its snapshot; whoever opens it next gets the new one. A served
file is never written again.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock

from collab.errors import CollabError
from collab.files import read_json, write_json

DATABASE = "movielens.duckdb"
RECORD = "snapshot.json"
REPORT = "report.html"
LINKS = {DATABASE: DATABASE, "parquet": "parquet", REPORT: REPORT, "latest.json": RECORD}
STORAGE_VERSION = "v1.4.0"  # so that DuckDB 1.4 and 1.5 can open it
KEEP_AT_LEAST = 5
KEEP_SECONDS = 48 * 3600


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A publication: its number, its folder and the record beside its tables."""

    seq: int
    folder: Path
    record: dict[str, Any]

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / DATABASE


def current_snapshot(serve: Path) -> Snapshot | None:
    """What is published now, or None."""
    try:
        folder = (serve / "current").resolve(strict=True)
        return Snapshot(seq=int(folder.name), folder=folder, record=read_json(folder / RECORD))
    except (OSError, ValueError):
        return None


def publish_snapshot(
    serve: Path,
    fill: Callable[[duckdb.DuckDBPyConnection], None],
    check: Callable[[duckdb.DuckDBPyConnection], None],
    record: dict[str, Any],
    report: Callable[[Path, Path], None] | None = None,
) -> Snapshot:
    """Build a snapshot beside the others, prove it, and flip the link to it.

    Args:
        serve: the folder that analysts read.
        fill: creates the tables in an empty database.
        check: raises where the tables may not be published.
        record: kept with the snapshot.
        report: writes the report of the finished database, its first path, to its second.

    Raises:
        CollabError: a check failed, or the disk is full; the last publication stands.
    """
    snapshots = serve / "snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)
    with FileLock(serve / ".publish.lock"):
        for stale in snapshots.glob("*.tmp"):
            shutil.rmtree(stale)
        seq = max((int(path.name) for path in numbered(snapshots)), default=0) + 1
        temporary = Path(tempfile.mkdtemp(dir=snapshots, suffix=".tmp"))
        try:
            build(temporary, fill, check)
            if report:
                report(temporary / DATABASE, temporary / REPORT)
            finished = {"seq": seq, **record, "published_at": utc_now()}
            write_json(temporary / RECORD, finished)
            seal_read_only(temporary)
            final = snapshots / f"{seq:06d}"
            temporary.rename(final)
        except (OSError, duckdb.Error) as error:
            raise CollabError(
                f"Publishing failed and the last publication stands: {str(error).splitlines()[0]}"
            ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        flip(serve, final)
        collect_garbage(snapshots, keep=final)
    return Snapshot(seq=seq, folder=final, record=finished)


def utc_now() -> str:
    """The time now, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def numbered(snapshots: Path) -> list[Path]:
    """The finished snapshots, oldest first."""
    return sorted(path for path in snapshots.iterdir() if path.name.isdigit())


def build(
    folder: Path,
    fill: Callable[[duckdb.DuckDBPyConnection], None],
    check: Callable[[duckdb.DuckDBPyConnection], None],
) -> None:
    """Make the database and its Parquet copies, and compare the two by reading them again."""
    path = folder / DATABASE
    with duckdb.connect(config={"storage_compatibility_version": STORAGE_VERSION}) as con:
        con.execute(f"ATTACH '{quote(path)}' AS served")
        con.execute("USE served")
        fill(con)
        check(con)
        (folder / "parquet").mkdir()
        for table in table_names(con):
            target = folder / "parquet" / f"{table}.parquet"
            con.sql(f"FROM {table}").write_parquet(str(target), compression="zstd")
        con.execute("CHECKPOINT served")
    if path.with_name(f"{DATABASE}.wal").exists():
        raise OSError("the database was left with a write-ahead log")
    compare_with_parquet(folder)


def quote(path: Path) -> str:
    """A path for a SQL string literal."""
    return str(path).replace("'", "''")


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
    summary = "SELECT count(*), sum(hash(t)::HUGEINT) FROM {} AS t"
    with duckdb.connect(folder / DATABASE, read_only=True) as con:
        for table in table_names(con):
            served = con.execute(summary.format(table)).fetchall()
            parquet = str(folder / "parquet" / f"{table}.parquet")
            copied = con.execute(summary.format("read_parquet($path)"), {"path": parquet})
            if served != copied.fetchall():
                raise OSError(f"the table {table} differs from its Parquet copy")


def seal_read_only(folder: Path) -> None:
    """Bring every file to the disk and take away the right to write it."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        path.chmod(0o444 if path.is_file() else 0o755)


def flip(serve: Path, final: Path) -> None:
    """Point `current` at a snapshot by one rename; make the links through it where they lack."""
    replace_link(serve / "current", Path("snapshots") / final.name)
    for name, target in LINKS.items():
        if not (serve / name).is_symlink():
            replace_link(serve / name, Path("current") / target)


def replace_link(link: Path, target: Path) -> None:
    """Make or replace a symbolic link atomically."""
    beside = link.with_name(f".{link.name}.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)


def collect_garbage(snapshots: Path, keep: Path) -> None:
    """Remove snapshots older than 48 hours, but never one of the last five nor `keep`."""
    for path in numbered(snapshots)[:-KEEP_AT_LEAST]:
        if path != keep and time.time() - path.stat().st_mtime > KEEP_SECONDS:
            shutil.rmtree(path)
