"""What was published, and how to go back: `snapshots`, `rollback`, `gc`."""

from datetime import datetime
from typing import TYPE_CHECKING

from collab.base.errors import CollabError
from collab.base.serving import nothing_published, served_editions
from collab.cli.app import Count, shown
from collab.cli.output import TERMINAL, Column, Out
from collab.cli.place import Here, app
from collab.cli.rows import Rows
from collab.cli.show import say
from collab.cli.values import MINUTE
from collab.status import at_work

if TYPE_CHECKING:
    from collab.release.snapshot import Snapshot

SNAPSHOT = {
    "seq": "INTEGER",
    "published_at": "TIMESTAMP",
    "edition": "VARCHAR",
    "variant": "VARCHAR",
    "valid_mse": "DOUBLE",
    "bytes": "BIGINT",
    "state": "VARCHAR",
}
PUBLICATION = (
    Column("seq", "d"),
    Column("published_at", MINUTE, "published"),
    Column("state"),
    Column("variant", head="champion"),
    Column("valid_mse", ".4f", "valid MSE"),
    Column("edition"),
    Column("bytes", ",d"),
)
REMOVABLE = (Column("bytes", ",d"), Column("folder"))


@app.command(help_epilogue=shown("collab snapshots", "collab snapshots --json"))
def snapshots(*, out: Out = TERMINAL, place: Here) -> None:
    """List the publications, newest first."""
    from collab.release.snapshot import current_snapshot, list_snapshots

    folder = place.folder
    found, current = list_snapshots(folder), current_snapshot(folder)
    if not found:
        raise nothing_published(folder)
    rows = [
        (
            snapshot.seq,
            datetime.fromisoformat(snapshot.record.published_at),
            snapshot.record.edition,
            snapshot.record.variant,
            snapshot.record.valid_mse,
            snapshot.size,
            state(snapshot, current),
        )
        for snapshot in found
    ]
    out.rows(Rows.of(SNAPSHOT, rows), "Publications", PUBLICATION)


def state(snapshot: "Snapshot", current: "Snapshot | None") -> str:
    """What became of a snapshot, in a word."""
    if current and snapshot.seq == current.seq:
        return "served"
    if snapshot.record.as_of:
        return f"as of {snapshot.record.as_of}"
    return "withdrawn" if snapshot.withdrawn else ""


@app.command(help_epilogue=shown("collab snapshots", "collab rollback 41"))
def rollback(seq: Count, /, *, place: Here) -> None:
    """Serve an earlier publication again.

    Args:
        seq: Its number; see `collab snapshots`.
    """
    from collab.release.rollback import roll_back

    target = roll_back(place.folder, seq)
    say(
        f"Snapshot {target.seq} of {target.record.published_at} is served.\n"
        "Later ones are withdrawn: the pipeline does not publish the same again unless forced; "
        "something new is published as ever."
    )


@app.command(help_epilogue=shown("collab gc", "collab gc --days 7 --remove"))
def gc(*, days: Count = 30, remove: bool = False, out: Out = TERMINAL, place: Here) -> None:
    """List runs, datasets and lake folders that nothing published refers to, or remove them.

    Args:
        days: Only what is older than so many days.
        remove: Remove them; what is needed again is made again.
    """
    from collab.release.retention import removable
    from collab.release.retention import remove as remove_all

    if remove and (running := at_work(place.data)):
        raise CollabError(f"Something runs: {', '.join(running)}. Wait for its end.")
    if remove and not served_editions(place.data.serve):
        raise CollabError(
            f"Nothing is published in {place.data.serve}, so that nothing is known to be in use. "
            "Is it mounted, and may you read it? Publish first, or remove by hand."
        )
    found = removable(place.data, days)
    if remove:
        found = remove_all(place.data, found)
    folders = [(str(item.folder.relative_to(place.data.root)), item.size) for item in found]
    if folders or not out.for_eyes:
        out.rows(Rows.of({"folder": "VARCHAR", "bytes": "BIGINT"}, folders), columns=REMOVABLE)
    done = "removed" if remove else "would be removed with --remove"
    out.say(f"{len(found)} folders, {sum(item.size for item in found) / 2**20:.1f} MiB: {done}")
