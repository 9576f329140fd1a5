"""Tasks: making room."""

import logging

from prefect import task
from prefect.runtime import flow_run

from collab.base.journal import step
from collab.base.paths import DataDir
from collab.release.retention import removable, remove
from collab.status import at_work

log = logging.getLogger("collab.retention")


@task
def collect_garbage(data: DataDir, days: float) -> int:
    """Remove what nothing published refers to and is older than so many days.

    While something else is at work in the data folder nothing is removed. What goes wrong, whatever
    it is, is logged and left for the next time: the tables are published.

    Returns:
        How many folders were removed.
    """
    try:
        with step(data, "gc", flow_run=flow_run.get_id()) as entry:
            running = at_work(data)
            gone = [] if running else remove(data, removable(data, days))
            entry["folders"], entry["outcome"] = len(gone), "made" if gone else "found"
    except Exception:
        log.exception("Nothing more was removed; the tables are published")
        return 0
    if running:
        log.warning("Nothing was removed: something else runs (%s)", ", ".join(running))
    return len(gone)
