"""Publish by flipping one link to a fresh, finished, read-only snapshot.

Below `serve`:

    snapshots/000042/{movielens.duckdb, parquet/, report.html, snapshot.json}
    current -> snapshots/000042            the one link that is flipped
    movielens.duckdb -> current/movielens.duckdb, parquet, report.html and latest.json
                                           likewise

A reader that has the file open keeps its snapshot; whoever opens it next gets the new one. A served
file is never written again.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock

from collab.base.errors import CollabError
from collab.base.files import read_json, seal, write_json
from collab.release.build import DATABASE, Step, build, seal_read_only, sync
from collab.release.links import RECORD, REPORT, flip

log = logging.getLogger(__name__)

Report = Callable[[Path, Path], None]

WITHDRAWN = "withdrawn.json"
# what a full or broken disk raises, by the moment: on writing, on committing, on spilling
DISK_FAILED = (
    OSError,
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.TransactionException,
    duckdb.OutOfMemoryException,
)
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

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @property
    def withdrawn(self) -> bool:
        """Whether an operator rolled it back."""
        return (self.folder / WITHDRAWN).exists()


def load_snapshot(folder: Path) -> Snapshot:
    """Read a finished snapshot's record.

    Raises:
        OSError, ValueError: there is none.
    """
    return Snapshot(seq=int(folder.name), folder=folder, record=read_json(folder / RECORD))


def current_snapshot(serve: Path) -> Snapshot | None:
    """What is published now, or None."""
    try:
        return load_snapshot((serve / "current").resolve(strict=True))
    except (OSError, ValueError):
        return None


def list_snapshots(serve: Path) -> list[Snapshot]:
    """The finished snapshots, newest first; a folder without a readable record is passed over."""
    found = []
    for folder in reversed(numbered(serve / "snapshots")):
        with suppress(OSError, ValueError):
            found.append(load_snapshot(folder))
    return found


def numbered(snapshots: Path) -> list[Path]:
    """The folders of finished snapshots, oldest first; anything under way ends in `.tmp`."""
    found = snapshots.iterdir() if snapshots.exists() else []
    return sorted(path for path in found if path.name.isdecimal())


def publish_lock(serve: Path) -> FileLock:
    """The lock that publishers and rollbacks hold; the kernel frees it when its holder dies.

    Whoever holds it may take it again, so that what leads to a publication can be under it too.

    Raises:
        CollabError: the folder cannot be written.
    """
    try:
        (serve / "snapshots").mkdir(parents=True, exist_ok=True)
        (serve / ".publish.lock").touch()
    except OSError as error:
        raise CollabError(
            f"The folder {serve} cannot be written ({error.strerror}). "
            "Run this as the user who owns it, or name another folder with --data-dir."
        ) from error
    return FileLock(serve / ".publish.lock", is_singleton=True)


def publish_snapshot(
    serve: Path, fill: Step, check: Step, record: dict[str, Any], report: Report | None = None
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
    with publish_lock(serve):
        try:
            published = add_snapshot(serve / "snapshots", fill, check, record, report)
            flip(serve, published.folder)
        except DISK_FAILED as error:
            raise CollabError(failure(serve, error)) from error
        collect_garbage(serve / "snapshots", keep=published.folder)
    return published


def add_snapshot(
    snapshots: Path, fill: Step, check: Step, record: dict[str, Any], report: Report | None
) -> Snapshot:
    """A finished snapshot under the next number; a publisher that died leaves only `.tmp`."""
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
        seal(temporary)
        seal_read_only(temporary)
        final = temporary.rename(snapshots / f"{seq:06d}")
        sync(snapshots)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Snapshot(seq=seq, folder=final, record=finished)


def failure(serve: Path, error: Exception) -> str:
    """What stopped a publication, in words for the one who has to mend it."""
    reason = str(error).strip().splitlines()[0]
    free = shutil.disk_usage(serve).free / 2**20
    return (
        f"Publishing failed and the last publication stands: {reason}\n"
        f"{free:,.0f} MiB are free at {serve}. Make room or mend the disk and run it again; "
        "what was trained is kept."
    )


def utc_now() -> str:
    """The time now, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def collect_garbage(snapshots: Path, keep: Path) -> None:
    """Remove snapshots older than 48 hours, but never one of the last five nor `keep`.

    What cannot be removed is left for the next time: the publication has landed already.
    """
    for path in numbered(snapshots)[:-KEEP_AT_LEAST]:
        if path != keep and time.time() - path.stat().st_mtime > KEEP_SECONDS:
            try:
                # under this name a removal cut short is no snapshot, and is finished next time
                shutil.rmtree(path.rename(path.with_suffix(".tmp")))
            except OSError as error:
                log.warning("The old snapshot %s could not be removed: %s", path, error)
