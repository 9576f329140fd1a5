"""Publish by flipping one link to a fresh, finished, read-only snapshot.

Below `serve/<edition>`:

    snapshots/000042/{movielens.duckdb, parquet/, report.html, snapshot.json}
    current -> snapshots/000042            the one link that is flipped
    movielens.duckdb -> current/movielens.duckdb, parquet and latest.json likewise; `links` has more

A reader that has the file open keeps its snapshot; whoever opens it next gets the new one. A served
file is never written again. What is as of an earlier day is a snapshot too, and never current.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
from filelock import FileLock

from collab.base.errors import CollabError
from collab.base.files import read_json, readable, seal, write_json
from collab.base.fingerprint import refuse_changed_code
from collab.base.records import record_of, require_schema
from collab.base.serving import DATABASE
from collab.release.build import Step, build, seal_read_only, sync
from collab.release.links import RECORD, REPORT, flip

log = logging.getLogger(__name__)

SCHEMA = 2
WITHDRAWN = "withdrawn.json"
# what a full or broken disk raises, by the moment: on writing, on committing, on spilling
DISK_FAILED = (
    OSError,
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.TransactionException,
    duckdb.OutOfMemoryException,
)
PUBLISH_LOCK = ".publish.lock"
KEEP_AT_LEAST = 5
KEEP_SECONDS = 48 * 3600


@dataclass(frozen=True, kw_only=True)
class SnapshotRecord:
    """The content of `snapshot.json`, and so of `latest.json`.

    key: hex sha256 of all that the tables depend on.
    variant: the champion recipe; `champion` its evaluated run, `release` its run on all ratings.
    runs, datasets: all that the tables were made of, by name.
    split: on which rows the champion was measured.
    valid_mse: on the first split; `mean_mse` and `sd_mse` over all splits it ran on.
    as_of: only ratings up to this moment, ISO 8601, UTC; None: all, and only then ever served.
    left_out: variants and parts of tables that failed or did not fit, each with the reason.
    undeclared: how it differs from what is declared of the edition, published by an override.
    """

    schema: int
    seq: int
    published_at: str
    key: str
    edition: str
    variant: str
    valid_mse: float
    champion: str = ""
    release: str = ""
    archive_sha256: str = ""
    data_fingerprint: str = ""
    split: str = ""
    seed: int = 0
    mean_mse: float | None = None
    sd_mse: float | None = None
    n_splits: int = 1
    as_of: str | None = None
    runs: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    max_regression: float | None = None
    compared_with: int | None = None
    regression: float | None = None
    regression_low: float | None = None
    regression_high: float | None = None
    baseline: float | None = None
    baseline_low: float | None = None
    baseline_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A publication: its number, its folder and the record beside its tables."""

    seq: int
    folder: Path
    record: SnapshotRecord

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
        OSError, ValueError: there is none of this version.
    """
    values = read_json(folder / RECORD)
    require_schema(values, SCHEMA)
    names = ("runs", "datasets", "left_out", "undeclared")
    lists = {name: tuple(values.get(name, ())) for name in names}
    record = record_of(SnapshotRecord, values, SCHEMA, **lists)
    return Snapshot(seq=int(folder.name), folder=folder, record=record)


def current_snapshot(serve: Path) -> Snapshot | None:
    """What is published now of an edition, or None."""
    try:
        return load_snapshot((serve / "current").resolve(strict=True))
    except (OSError, ValueError):
        return None


def list_snapshots(serve: Path) -> list[Snapshot]:
    """The finished snapshots, newest first; one without a readable record is left out."""
    return readable(reversed(numbered(serve / "snapshots")), load_snapshot)


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
        (serve / PUBLISH_LOCK).touch()
    except OSError as error:
        raise CollabError(
            f"The folder {serve} cannot be written ({error.strerror}). "
            "Run this as the user who owns it, or name another folder with --data-dir."
        ) from error
    return FileLock(serve / PUBLISH_LOCK, is_singleton=True)


def publish_snapshot(
    serve: Path,
    fill: Step,
    check: Step,
    record: dict[str, Any],
    *,
    serves: bool = True,
    at_hand: Mapping[str, Path] = MappingProxyType({}),
) -> Snapshot:
    """Build a snapshot beside the others, prove it, and flip the link to it.

    Args:
        serve: the folder that analysts read, of one edition.
        fill: creates the tables in an empty database.
        check: raises where the tables may not be published.
        record: what `SnapshotRecord` says, but for number, time and version.
        serves: whether readers are led to it.
        at_hand: tables of which a Parquet file is there already; see `build`.

    Raises:
        CollabError: a check failed, or the disk is full; the last publication stands.
    """
    with publish_lock(serve):
        try:
            made = partial(build, fill=fill, check=check, at_hand=at_hand)
            published = add_snapshot(serve / "snapshots", made, record)
            if serves:
                flip(serve, published.folder)
        except DISK_FAILED as error:
            raise CollabError(failure(serve, error)) from error
        collect_garbage(serve, published.folder)
    return published


def add_snapshot(snapshots: Path, made: Callable[[Path], None], record: dict[str, Any]) -> Snapshot:
    """A finished snapshot under the next number; a publisher that died leaves only `.tmp`."""
    for stale in snapshots.glob("*.tmp"):
        shutil.rmtree(stale)
    seq = max((int(path.name) for path in numbered(snapshots)), default=0) + 1
    temporary = Path(tempfile.mkdtemp(dir=snapshots, suffix=".tmp"))
    try:
        made(temporary)
        refuse_changed_code()  # of its SQL some was read only now
        finished = {"schema": SCHEMA, "seq": seq, **record, "published_at": utc_now()}
        write_json(temporary / RECORD, finished)
        seal(temporary)
        seal_read_only(temporary)
        final = temporary.rename(snapshots / f"{seq:06d}")
        sync(snapshots)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return load_snapshot(final)


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


def collect_garbage(serve: Path, keep: Path) -> None:
    """Remove snapshots older than 48 hours, but never one of the last five nor one that is linked.

    What cannot be removed is left for the next time: the publication has landed already.
    """
    linked = {keep, *((serve / name).resolve() for name in ("current", REPORT))}
    kept = linked | {path.parent for path in linked}
    for path in numbered(serve / "snapshots")[:-KEEP_AT_LEAST]:
        old = time.time() - path.stat().st_mtime > KEEP_SECONDS
        if old and path.resolve() not in kept:
            try:
                # under this name a removal cut short is no snapshot, and is finished next time
                shutil.rmtree(path.rename(path.with_suffix(".tmp")))
            except OSError as error:
                log.warning("The old snapshot %s could not be removed: %s", path, error)
