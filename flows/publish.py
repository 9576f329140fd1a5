"""Publish the tables of what was trained."""

from prefect import flow

from collab.base.paths import writable_data_dir
from collab.lake import find_manifest
from collab.release.regression import MAX_REGRESSION, require_sensible
from collab.release.snapshot import Snapshot
from collab.runs.devices import find_slots
from collab.runs.record import newest_runs
from flows import stages
from flows.names import run_name, tag_run
from flows.parameters import EditionName
from flows.recorded import recorded
from flows.undeclared import of_runs, refuse, released_runs
from tasks.events import announce_publication
from tasks.train import Trained


@flow(name="publish", flow_run_name=run_name)
@recorded
def publish(
    edition: EditionName = "ml-100k",
    fingerprint: str | None = None,
    run_ids: list[str] | None = None,
    left_out: list[str] | None = None,
    data_dir: str | None = None,
    device: str = "auto",
    force: bool = False,
    max_regression: float = MAX_REGRESSION,
    no_gate: bool = False,
    override: bool = False,
) -> Snapshot:
    """Run folders to published tables.

    Args:
        edition: a MovieLens edition that was trained on.
        fingerprint: of the ratings to publish; by default the edition's newest.
        run_ids: the runs to publish, first those of the first split; by default of what is declared
            for the edition each variant's newest on these ratings, by `override` of all.
        left_out: what training left out, for the record.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        device: where the champion recipe is trained on all ratings: auto, cpu, mps, cuda or cuda:N.
        force: publish also where the same is published already.
        max_regression: by how much, as a part, the champion's error may surely be larger than the
            last published one's on equal rows; more is refused.
        no_gate: publish however much worse it is; recorded in the publication.
        override: publish also what is not the set declared for the edition; recorded in the
            publication.
    """
    require_sensible(max_regression)
    find_slots(device)
    data = writable_data_dir(data_dir)
    tag_run(edition, data)
    lake = find_manifest(data, edition, fingerprint)
    if run_ids is None and not override:
        runs = released_runs(data.runs, lake)
    else:
        runs = newest_runs(data.runs, lake.fingerprint, run_ids)
    undeclared = of_runs(runs, left_out or (), lake)
    if not override and runs[0].record.as_of is None:
        refuse(undeclared, edition)
    trained = Trained(runs=runs, left_out=tuple(left_out or ()))
    limit = None if no_gate else max_regression
    published = stages.publish(
        lake,
        trained,
        data,
        device=device,
        force=force,
        max_regression=limit,
        undeclared=undeclared,
    )
    announce_publication(lake, published.snapshot, published.made, data)
    return published.snapshot
