"""Tasks: publication."""

from prefect import task
from prefect.runtime import flow_run

from collab.base.journal import below, step
from collab.lake import Manifest
from collab.base.paths import DataDir
from collab.release.publish import publish
from collab.release.snapshot import Snapshot
from collab.runs.run import Run


@task
def publish_tables(
    lake: Manifest, runs: list[Run], data: DataDir, force: bool, max_regression: float | None
) -> tuple[Snapshot, bool]:
    """Build the tables, check them and flip the link."""
    with step(data, "publish", edition=lake.edition, flow_run=flow_run.get_id()) as entry:
        snapshot, made = publish(lake, runs, data, force=force, max_regression=max_regression)
        entry["rows"], entry["where"] = lake.counts["ratings"], below(data, snapshot.folder)
        entry["outcome"] = "made" if made else "found"
    return snapshot, made
