"""Fetch an edition and commit it as Parquet; new ratings are announced."""

from prefect import flow

from collab.lake import Manifest
from collab.movielens.editions import ItemKey, get_edition
from collab.base.paths import writable_data_dir
from flows.names import run_name
from tasks.artifacts import show_checks
from tasks.events import announce_ratings
from tasks.ingest import fetch_archive, ingest_archive


@flow(name="ingest", flow_run_name=run_name)
def ingest(
    edition: str = "ml-100k",
    archive: str | None = None,
    data_dir: str | None = None,
    item_key: ItemKey | None = None,
    trust_archive: bool = False,
    force: bool = False,
) -> Manifest:
    """MovieLens to checked Parquet; says so where the ratings are new.

    Args:
        edition: a MovieLens edition, such as ml-100k or ml-32m.
        archive: a zip or an unpacked folder to use in place of the known sources.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        item_key: what an item is, a title or a movie; by default the edition's own.
        trust_archive: accept an archive that is not the published one.
        force: do everything again, also what is committed.
    """
    get_edition(edition)
    data = writable_data_dir(data_dir)
    source = fetch_archive(edition, data, archive, trust_archive, force)
    lake, _ = ingest_archive(source, data, item_key, force)
    show_checks(lake)
    announce_ratings(lake, data)
    return lake
