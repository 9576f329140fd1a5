"""Tasks: publication."""

from prefect import task

from collab.lake import Manifest
from collab.paths import DataDir
from collab.publish.publish import publish
from collab.publish.snapshot import Snapshot
from collab.training.run import Run


@task
def publish_tables(
    lake: Manifest, runs: list[Run], data: DataDir, force: bool, max_regression: float | None
) -> tuple[Snapshot, bool]:
    """Build the tables, check them and flip the link."""
    return publish(lake, runs, data, force=force, max_regression=max_regression)
