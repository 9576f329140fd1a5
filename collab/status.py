"""What is published, what is running, what failed last: told from the data folder alone."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from collab.base.journal import Entry, read_journal
from collab.base.paths import DataDir
from collab.lake import Manifest, load_manifest
from collab.release.snapshot import Snapshot, current_snapshot

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of a data folder.

    published: the current snapshot, if any.
    lake: the data it was made from; None where they were removed.
    running: the folders that a living process builds now.
    steps: the last entry of the journal for each step and variant.
    failures: the last entries that tell of a failure, newest first.
    """

    published: Snapshot | None
    lake: Manifest | None
    running: list[str]
    steps: list[Entry]
    failures: list[Entry]


def gather_status(data: DataDir) -> Status:
    """Look at a data folder; nothing is changed and no server is asked."""
    journal = read_journal(data)
    published = current_snapshot(data.serve)
    return Status(
        published=published,
        lake=find_lake(data, published) if published else None,
        running=list(held_locks(data)),
        steps=list({(e["step"], e.get("variant")): e for e in journal}.values()),
        failures=[e for e in reversed(journal) if e["outcome"] == "failed"][:SHOWN],
    )


def find_lake(data: DataDir, published: Snapshot) -> Manifest | None:
    """The lake folder that a publication was made from."""
    edition, fingerprint = published.record["edition"], published.record["data_fingerprint"]
    folder = data.lake / edition / fingerprint[:16]
    return load_manifest(folder) if (folder / "manifest.json").exists() else None


def held_locks(data: DataDir) -> Iterator[str]:
    """The folders that a living process builds now: fetched, ingested, trained or published."""
    for place in (data.raw, *sorted(data.lake.glob("*")), data.runs, data.serve):
        for lock in sorted(place.glob(".*.lock")):
            if is_held(lock):
                name = lock.name.removeprefix(".").removesuffix(".lock")
                yield f"{place.relative_to(data.root)}/{name}"


def is_held(lock: Path) -> bool:
    """Whether a process holds a lock; asked by sharing it for a moment, which hinders nobody."""
    handle = os.open(lock, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def print_status(data: DataDir) -> None:
    """Show a data folder's state on the terminal."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for line in status_lines(gather_status(data)):
        console.print(line)


def status_lines(status: Status) -> Iterator[str]:
    """The state in words."""
    yield from published_lines(status)
    yield f"Running: {', '.join(status.running) or 'nothing'}"
    yield "Last time of each step:" if status.steps else "No step was ever run here."
    for entry in status.steps:
        name = f"{entry['step']} {entry.get('variant', '')}".strip()
        yield (
            f"  {entry['at'][:19]}  {name}: {entry['outcome']}, {entry['seconds']:.1f} s, "
            f"{entry['peak_memory_mib']} MiB, {entry.get('where', 'nowhere')}"
        )
    yield "Last failures:" if status.failures else "No failure is recorded."
    for entry in status.failures:
        run = f" (flow run {entry['flow_run']})" if entry.get("flow_run") else ""
        yield f"  {entry['at'][:19]}  {entry['step']}: {entry['error']}{run}"


def published_lines(status: Status) -> Iterator[str]:
    """What is published, from which data, by which run, how old."""
    if status.published is None:
        yield "Published: nothing yet"
        return
    record = status.published.record
    age = datetime.now(UTC) - datetime.fromisoformat(record["published_at"])
    yield (
        f"Published: snapshot {status.published.seq:06d}, "
        f"{timedelta(seconds=int(age.total_seconds()))} ago ({record['published_at']})"
    )
    source = f", from {status.lake.source['origin']}" if status.lake else ""
    yield f"  data: {record['edition']} {record['data_fingerprint'][:16]}{source}"
    yield f"  champion: {record['champion']}, valid MSE {record['valid_mse']:.4f}"
