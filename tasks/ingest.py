"""Tasks: the archive, and its tables as Parquet."""

from pathlib import Path

from prefect import task
from prefect.runtime import flow_run

from collab.base.journal import below, step
from collab.base.paths import DataDir
from collab.lake import Manifest, ingest
from collab.movielens.editions import ItemKey, get_edition
from collab.movielens.sources import Source, find_archive
from tasks.policy import may_retry


@task(retries=2, retry_delay_seconds=[10, 60], retry_condition_fn=may_retry)
def fetch_archive(
    edition: str, data: DataDir, archive: str | None, trust_archive: bool, force: bool
) -> Source:
    """Find the edition's archive and verify it."""
    with step(data, "fetch", edition=edition, flow_run=flow_run.get_id()) as entry:
        source = find_archive(
            get_edition(edition), data, archive=archive, trust=trust_archive, refetch=force
        )
        entry["where"] = source.path if archive else below(data, Path(source.path))
        entry["outcome"] = "made" if source.fetched_now else "found"
    return source


@task
def ingest_archive(
    source: Source, data: DataDir, item_key: ItemKey | None, force: bool
) -> tuple[Manifest, bool]:
    """Parse, check and commit the tables as Parquet."""
    with step(data, "ingest", edition=source.edition, flow_run=flow_run.get_id()) as entry:
        lake, made = ingest(source, data, item_key=item_key, force=force)
        entry["rows"], entry["where"] = lake.counts["ratings"], below(data, lake.path)
        entry["outcome"] = "made" if made else "found"
    return lake, made
