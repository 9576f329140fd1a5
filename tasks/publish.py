"""Tasks: publication and report."""

import logging

from prefect import task
from prefect.runtime import flow_run

from collab.base.journal import below, first_line, step
from collab.base.paths import DataDir
from collab.release.publish import Release, publish
from collab.release.room import TABLE_SECONDS
from collab.release.snapshot import Snapshot
from collab.report import publish_report

log = logging.getLogger("collab.report")


@task
def publish_tables(
    release: Release,
    data: DataDir,
    force: bool,
    max_regression: float | None,
    table_seconds: float = TABLE_SECONDS,
) -> tuple[Snapshot, bool]:
    """Build the tables, check them and flip the link."""
    known = {"as_of": release.refit.record.as_of, "flow_run": flow_run.get_id()}
    with step(data, "publish", edition=release.lake.edition, **known) as entry:
        snapshot, made = publish(
            release, data, force=force, max_regression=max_regression, table_seconds=table_seconds
        )
        entry["rows"], entry["where"] = release.lake.counts["ratings"], below(data, snapshot.folder)
        entry["outcome"] = "made" if made else "found"
    return snapshot, made


@task
def write_report(snapshot: Snapshot, data: DataDir) -> str | None:
    """Write the report of a snapshot; returns why it could not, since the tables stand without it.

    What goes wrong here, whatever it is, is the report's fault and no reason to take tables back.
    """
    edition = snapshot.record.edition
    try:
        with step(data, "report", edition=edition, flow_run=flow_run.get_id()) as entry:
            made = publish_report(snapshot)
            entry["where"] = below(data, snapshot.folder / "report.html")
            entry["outcome"] = "made" if made else "found"
    except Exception as error:
        log.exception("The report of snapshot %d failed; the tables are published", snapshot.seq)
        return first_line(error)
    return None
