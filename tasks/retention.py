"""Tasks: making room."""

import logging

from prefect import task
from prefect.runtime import flow_run

from collab.base.journal import step
from collab.base.paths import DataDir
from collab.release.retention import removable, remove, unfinished
from collab.status import at_work

log = logging.getLogger("collab.retention")


@task
def collect_garbage(data: DataDir, days: float | None) -> int:
    """Remove what killed processes left half made, and what is old and nothing published refers to.

    Of what is finished nothing is removed while something else is at work in the data folder. What
    goes wrong, whatever it is, is logged and left for the next time: the tables are published.

    Args:
        data: the data folder.
        days: how old what is finished has to be; None: all of it stays.

    Returns:
        How many folders were removed.
    """
    running: list[str] = []
    try:
        with step(data, "gc", flow_run=flow_run.get_id()) as entry:
            if days is None or (running := at_work(data)):
                found = unfinished(data)
            else:
                found = removable(data, days)
            gone = remove(data, found)
            entry["folders"], entry["outcome"] = len(gone), "made" if gone else "found"
    except Exception:
        log.exception("Nothing more was removed; the tables are published")
        return 0
    if running:
        log.warning("Nothing old was removed: something else runs (%s)", ", ".join(running))
    return len(gone)
