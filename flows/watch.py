"""Say that nothing was published for too long."""

import logging
from datetime import UTC, datetime

from prefect import flow
from prefect.events import emit_event

from collab.base.journal import read_journal
from collab.base.paths import DataDir
from collab.base.paths import data_dir as find_data_dir

PUBLICATION_OVERDUE = "collab.publication.overdue"

log = logging.getLogger("collab.watch")


@flow(name="watch")
def watch(hours: float = 192, data_dir: str | None = None) -> bool:
    """Look at when publication last worked; late is an event and a line in the log.

    Args:
        hours: how long ago it may be.
        data_dir: the data folder; by default COLLAB_DATA_DIR, else `data`.

    Returns:
        Whether it is overdue.
    """
    data = find_data_dir(data_dir)
    last = last_publication(data)
    age = (datetime.now(UTC) - last).total_seconds() / 3600 if last else None
    if age is not None and age <= hours:
        log.info("The publication in %s was confirmed %.1f hours ago", data.serve, age)
        return False
    said = f"{age:.1f} hours ago" if age is not None else "never"
    log.error("Publication in %s is overdue: it last worked %s, expected every %g hours",
              data.serve, said, hours)  # fmt: skip
    emit_event(
        event=PUBLICATION_OVERDUE,
        resource={"prefect.resource.id": f"collab.data.{data.root}"},
        payload={"last": last.isoformat() if last else None, "hours": hours},
    )
    return True


def last_publication(data: DataDir) -> datetime | None:
    """When a publication was last made or found in place."""
    good = [
        datetime.fromisoformat(entry["at"])
        for entry in read_journal(data)
        if entry["step"] == "publish" and entry["outcome"] != "failed" and not entry.get("as_of")
    ]
    return max(good, default=None)
