"""Fetch an edition and commit it as Parquet; new ratings are announced."""

from prefect import flow

from collab.base.paths import writable_data_dir
from collab.lake import Manifest
from collab.movielens.editions import ItemKey
from flows import stages
from flows.names import run_name, tag_run
from flows.parameters import EditionName
from flows.recorded import recorded
from tasks.events import announce_ratings


@flow(name="ingest", flow_run_name=run_name)
@recorded
def ingest(
    edition: EditionName = "ml-100k",
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
    data = writable_data_dir(data_dir)
    tag_run(edition, data)
    taken = stages.take_in(edition, data, archive, item_key, trust_archive, force)
    announce_ratings(taken.lake, data)
    return taken.lake
