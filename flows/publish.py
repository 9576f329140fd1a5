"""Publish the tables of what was trained."""

from prefect import flow

from collab.lake import find_manifest
from collab.movielens.editions import get_edition
from collab.base.paths import writable_data_dir
from collab.release.interpret import require_interpretable
from collab.release.regression import MAX_REGRESSION, require_sensible
from collab.release.snapshot import Snapshot
from collab.estimators.sgd.recipe import Recipe
from collab.runs.run import newest_runs
from flows.names import run_name
from tasks.artifacts import show_publication
from tasks.events import announce_publication
from tasks.publish import publish_tables


@flow(name="publish", flow_run_name=run_name)
def publish(
    edition: str = "ml-100k",
    fingerprint: str | None = None,
    run_ids: list[str] | None = None,
    data_dir: str | None = None,
    force: bool = False,
    max_regression: float = MAX_REGRESSION,
    no_gate: bool = False,
) -> Snapshot:
    """Run folders to published tables.

    Args:
        edition: a MovieLens edition that was trained on.
        fingerprint: of the ratings to publish; by default the edition's newest.
        run_ids: the runs to publish; by default each variant's newest on these ratings.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        force: publish also where the same is published already.
        max_regression: how much worse than the last published one the champion's valid MSE may be,
            as a part of it; more is refused.
        no_gate: publish however much worse it is; recorded in the publication.
    """
    require_sensible(max_regression)
    get_edition(edition)
    data = writable_data_dir(data_dir)
    lake = find_manifest(data, edition, fingerprint)
    runs = newest_runs(data.runs, lake, run_ids)
    require_interpretable([Recipe.from_json(run.record["recipe"]) for run in runs])
    snapshot, made = publish_tables(lake, runs, data, force, None if no_gate else max_regression)
    show_publication(snapshot)
    announce_publication(lake, snapshot, made, data)
    return snapshot
