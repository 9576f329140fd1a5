"""Go back to an earlier publication, and stay there."""

import logging
from pathlib import Path

import duckdb

from collab.base.errors import CollabError
from collab.base.files import write_json
from collab.release.build import compare_with_parquet
from collab.release.links import flip
from collab.release.snapshot import (
    WITHDRAWN,
    Snapshot,
    current_snapshot,
    list_snapshots,
    publish_lock,
    utc_now,
)

log = logging.getLogger(__name__)


def roll_back(serve: Path, seq: int) -> Snapshot:
    """Serve an earlier snapshot again; those after it are withdrawn.

    A withdrawn snapshot stays where it is, marked by `withdrawn.json`: a pipeline whose inputs have
    not changed does not publish the same again, and a later champion is not measured against it.
    Rolling "back" to a withdrawn one takes the mark away. The next publication of something new
    ends the rollback.

    Args:
        serve: the folder that analysts read.
        seq: the snapshot to go back to.

    Raises:
        CollabError: there is no such snapshot, it is damaged, or the folder cannot be written.
    """
    with publish_lock(serve):
        snapshots = list_snapshots(serve)
        target = find(snapshots, seq)
        refuse_earlier_day(target)
        require_whole(target)
        try:
            # the marks first: cut short between the two, the rollback is only to be repeated
            for snapshot in snapshots:
                if snapshot.seq > seq and not snapshot.withdrawn:
                    mark = {"withdrawn_at": utc_now(), "rolled_back_to": seq}
                    write_json(snapshot.folder / WITHDRAWN, mark)
            (target.folder / WITHDRAWN).unlink(missing_ok=True)
            flip(serve, target.folder)
        except OSError as error:
            raise CollabError(f"Rolling back to {seq} failed: {error}. Run it again.") from error
    return target


def find(snapshots: list[Snapshot], seq: int) -> Snapshot:
    """The snapshot of a number.

    Raises:
        CollabError: there is none; names those there are.
    """
    for snapshot in snapshots:
        if snapshot.seq == seq:
            return snapshot
    there = ", ".join(str(snapshot.seq) for snapshot in snapshots) or "none"
    raise CollabError(f"There is no snapshot {seq}; there are: {there}. See `collab snapshots`.")


def refuse_earlier_day(snapshot: Snapshot) -> None:
    """Stop before a day long past is served as if it were today.

    Raises:
        CollabError: the snapshot was made as of an earlier day.
    """
    if snapshot.record.as_of:
        raise CollabError(
            f"Snapshot {snapshot.seq} is as of {snapshot.record.as_of} and never served; "
            f"open {snapshot.database} itself, or choose another. See `collab snapshots`."
        )


def require_whole(snapshot: Snapshot) -> None:
    """Compare a snapshot's database with its Parquet copies before anyone is sent to it.

    Raises:
        CollabError: they differ, or one cannot be read.
    """
    try:
        compare_with_parquet(snapshot.folder)
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise CollabError(
            f"Snapshot {snapshot.seq} is damaged: {reason}. Nothing was changed; choose another."
        ) from error


def withdrawn_twin(serve: Path, key: str) -> Snapshot | None:
    """The withdrawn snapshot with the same content, if an operator rolled that back."""
    for snapshot in list_snapshots(serve):
        if snapshot.withdrawn and snapshot.record.key == key:
            return snapshot
    return None


def kept_back(serve: Path, key: str) -> Snapshot | None:
    """What stays published because the new content was rolled back before; None: go on."""
    current, twin = current_snapshot(serve), withdrawn_twin(serve, key)
    if current is None or twin is None:
        return None
    log.warning(
        "Not published: snapshot %d with the same content was rolled back, and %d is served. "
        "Publish it again with --force or `collab rollback %d`.",
        twin.seq,
        current.seq,
        twin.seq,
    )
    return current
