"""What is published, what is running, what failed last: told from the data folder alone."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collab.base.alive import alive, is_held, killed
from collab.base.files import read_json
from collab.base.journal import Entry, read_journal
from collab.base.paths import DataDir
from collab.base.serving import edition_folder, published_folders

if TYPE_CHECKING:
    from collab.release.snapshot import Snapshot

SHOWN = 5
CLOCKS = timedelta(minutes=10)  # by so much those of two machines may differ


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of a data folder.

    published: the current snapshot of each edition that is published, with where its archive was
        taken from; None where the data it was made of are removed.
    confirmed: when each edition's publication was last made, or found to be what it should be.
    unknown: folders that serve what another version of the program published, or what is gone.
    flows: those that run now, also while they build nothing yet.
    running: the folders that a living process builds now.
    steps: the last entry of the journal for each step and variant.
    failures: the last entries that tell of a failure, newest first.
    """

    published: "list[tuple[Snapshot, str | None]]"
    confirmed: dict[str, datetime]
    unknown: list[Path]
    flows: list[Entry]
    running: list[str]
    steps: list[Entry]
    failures: list[Entry]


def gather_status(data: DataDir, edition: str | None = None) -> Status:
    """Look at a data folder; nothing is changed and no server is asked.

    Args:
        data: the data folder.
        edition: whose publication; by default that of every edition that is published.

    Raises:
        CollabError: the edition named is not published.
    """
    from collab.release.snapshot import current_snapshot

    folders = [edition_folder(data, edition)] if edition else published_folders(data)
    current = {folder: current_snapshot(folder) for folder in folders}
    journal = read_journal(data)
    published = [found for found in current.values() if found]
    unknown = [folder for folder, found in current.items() if not found]
    return Status(
        published=[(found, origin(data, found)) for found in published],
        confirmed={found.record.edition: confirmed_at(found, journal) for found in published},
        unknown=[*unknown, *([] if edition else emptied(data))],
        flows=alive(data),
        running=list(held_locks(data)),
        steps=list({(e["step"], e.get("variant")): e for e in journal}.values()),
        failures=failures([*journal, *killed(data)])[:SHOWN],
    )


def emptied(data: DataDir) -> list[Path]:
    """The folders of editions that were published, and whose current snapshot is gone."""
    folders = sorted(data.serve.iterdir()) if data.serve.is_dir() else []
    links = [folder / "current" for folder in folders]
    return [link.parent for link in links if link.is_symlink() and not link.exists()]


def confirmed_at(snapshot: "Snapshot", journal: list[Entry]) -> datetime:
    """When a publication was last made, or found to be what it should be.

    What the journal dates later than now, by a clock that was wrong, confirms nothing.
    """
    edition, latest = snapshot.record.edition, datetime.now(UTC) + CLOCKS
    good = [
        datetime.fromisoformat(entry["at"])
        for entry in journal
        if (entry["step"], entry.get("edition"), entry.get("as_of")) == ("publish", edition, None)
        and entry["outcome"] != "failed"
    ]
    past = [moment for moment in good if moment <= latest]
    return max([*past, datetime.fromisoformat(snapshot.record.published_at)])


def stale(status: Status, limit: timedelta) -> list[str]:
    """What was not made or confirmed for longer than so long, in words; of the rest nothing.

    So is what was made later than now: of that no age is known.
    """
    now = datetime.now(UTC)
    ages = {edition: now - at for edition, at in status.confirmed.items()}
    old = [
        f"{edition} was last made or confirmed {hours(age):.1f} hours ago, "
        f"more than {hours(limit):g}"
        for edition, age in ages.items()
        if age > limit
    ]
    ahead = [
        f"{edition} was made {hours(-age):.1f} hours from now: a clock is or was wrong"
        for edition, age in ages.items()
        if -age > CLOCKS
    ]
    return [
        *old,
        *ahead,
        *(f"{folder} holds nothing that can be read" for folder in status.unknown),
    ]


def hours(time: timedelta) -> float:
    """A time in hours."""
    return time.total_seconds() / 3600


def failures(journal: list[Entry]) -> list[Entry]:
    """The entries that tell of a failure, newest first; where a step failed a flow, the step's."""
    failed = [entry for entry in reversed(journal) if entry["outcome"] == "failed"]
    return list({(e.get("flow_run") or e["at"], e["error"]): e for e in failed}.values())


def origin(data: DataDir, snapshot: "Snapshot") -> str | None:
    """Where the archive was taken from that a publication was made of."""
    record = snapshot.record
    manifest = data.lake / record.edition / record.data_fingerprint[:16] / "manifest.json"
    return str(read_json(manifest)["source"]["origin"]) if manifest.exists() else None


def held_locks(data: DataDir) -> Iterator[str]:
    """The folders that a living process builds now: fetched, ingested, trained or published."""
    editions = (*sorted(data.lake.glob("*")), data.datasets, data.runs, data.trials, data.serve)
    for place in (data.raw, *editions, *sorted(data.serve.glob("*"))):
        for lock in sorted(place.glob(".*.lock")):
            if is_held(lock):
                name = lock.name.removeprefix(".").removesuffix(".lock")
                yield f"{place.relative_to(data.root)}/{name}"


def at_work(data: DataDir) -> list[str]:
    """What else than this process is at work in a data folder: flows, and what is being built."""
    others = [entry["step"] for entry in alive(data) if entry.get("pid") != os.getpid()]
    return [*others, *held_locks(data)]


def status_record(status: Status) -> dict[str, Any]:
    """The state for another program: values that JSON can hold, moments with their zone."""
    return {
        "published": [
            {
                "edition": snapshot.record.edition,
                "seq": snapshot.seq,
                "published_at": snapshot.record.published_at,
                "age_seconds": int(age(snapshot).total_seconds()),
                "confirmed_at": status.confirmed[snapshot.record.edition].isoformat(),
                "champion": snapshot.record.champion,
                "valid_mse": snapshot.record.valid_mse,
                "data_fingerprint": snapshot.record.data_fingerprint,
                "data_source": taken_from,
            }
            for snapshot, taken_from in status.published
        ],
        "unknown": [str(folder) for folder in status.unknown],
        "flows": status.flows,
        "running": status.running,
        "steps": status.steps,
        "failures": status.failures,
    }


def status_lines(status: Status) -> Iterator[str]:
    """The state in words."""
    if not status.published and not status.unknown:
        yield "Published: nothing yet"
    for folder in status.unknown:
        yield f"Published: by another version of this program, or removed since, in {folder}"
    for snapshot, taken_from in status.published:
        yield from published_lines(snapshot, taken_from)
    flows = [f"{e['step']} {e.get('edition') or ''} since {told(e['at'])}" for e in status.flows]
    yield f"Running: {', '.join([*flows, *status.running]) or 'nothing'}"
    yield "Last time of each step:" if status.steps else "No step was ever run here."
    for entry in status.steps:
        yield f"  {told(entry['at'])}  {', '.join(facts(entry))}"
    yield "Last failures:" if status.failures else "No failure is recorded."
    for entry in status.failures:
        run = f" (flow run {entry['flow_run']})" if entry.get("flow_run") else ""
        yield f"  {told(entry['at'])}  {entry['step']}: {entry['error']}{run}"


def facts(entry: Entry) -> Iterator[str]:
    """What the journal tells of a step; of what was killed neither time nor memory is known."""
    name = f"{entry['step']} {entry.get('variant', '')}".strip()
    yield f"{name}: {entry['outcome']}"
    if "seconds" in entry:
        yield f"{entry['seconds']:.1f} s"
    if "peak_memory_mib" in entry:
        yield f"{entry['peak_memory_mib']} MiB"
    if "where" in entry:
        yield str(entry["where"])


def published_lines(snapshot: "Snapshot", taken_from: str | None) -> Iterator[str]:
    """What is published of an edition, from which data, by which run, how old."""
    record = snapshot.record
    yield (
        f"Published: {record.edition}, snapshot {snapshot.seq:06d}, "
        f"{timedelta(seconds=int(age(snapshot).total_seconds()))} ago "
        f"({told(record.published_at)})"
    )
    source = f", from {taken_from}" if taken_from else ""
    yield f"  data: {record.edition} {record.data_fingerprint[:16]}{source}"
    yield f"  champion: {record.champion}, valid MSE {record.valid_mse:.4f}"
    if record.undeclared:
        yield f"  by an override, not the declared set: {'; '.join(record.undeclared)}"


def age(snapshot: "Snapshot") -> timedelta:
    """How long ago a snapshot was published."""
    return datetime.now(UTC) - datetime.fromisoformat(snapshot.record.published_at)


def told(moment: str) -> str:
    """A moment of a record, to the second and with its zone."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
