"""Tasks: the archive, and its tables as Parquet."""

from prefect import task

from collab.lake import Manifest, ingest
from collab.movielens.editions import ItemKey, get_edition
from collab.movielens.sources import Source, find_archive
from collab.paths import DataDir
from tasks.policy import may_retry


@task(retries=2, retry_delay_seconds=[10, 60], retry_condition_fn=may_retry)
def fetch_archive(
    edition: str, data: DataDir, archive: str | None, trust_archive: bool, force: bool
) -> Source:
    """Find the edition's archive and verify it."""
    return find_archive(
        get_edition(edition),
        data,
        archive=archive,
        trust=trust_archive,
        refetch=force,
    )


@task
def ingest_archive(
    source: Source, data: DataDir, item_key: ItemKey | None, force: bool
) -> tuple[Manifest, bool]:
    """Parse, check and commit the tables as Parquet."""
    return ingest(source, data, item_key=item_key, force=force)
