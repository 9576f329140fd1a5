"""One publication: choose the champion, build the tables, check them, flip."""

import logging
from functools import partial

from collab.fingerprint import code_digest, fingerprint
from collab.lake import Manifest
from collab.paths import DataDir
from collab.publish.gates import refuse_bad_tables
from collab.publish.interpret import choose_champion
from collab.publish.report import write_report
from collab.publish.snapshot import Snapshot, current_snapshot, publish_snapshot
from collab.publish.tables import Inputs, create_tables
from collab.training.run import Run, committed_runs

log = logging.getLogger(__name__)


def publish(
    lake: Manifest, runs: list[Run], data: DataDir, *, force: bool = False
) -> tuple[Snapshot, bool]:
    """Publish the tables of an edition's data and runs.

    Args:
        lake: the data.
        runs: the runs to publish; at least one has factors and biases.
        data: the data folder.
        force: publish even where the same is published already.

    Returns:
        The snapshot, and whether it was made now.

    Raises:
        CollabError: a gate refused the tables; the last publication stands.
    """
    history = [run for run in committed_runs(data.runs) if run.record["edition"] == lake.edition]
    key = fingerprint(
        data=lake.fingerprint,
        current=sorted(run.run_id for run in runs),
        history=sorted(run.run_id for run in history),
        code=code_digest("publish"),
    )
    last = current_snapshot(data.serve)
    if not force and last and last.record["key"] == key:
        return last, False
    champion = choose_champion(runs)
    inputs = Inputs(lake=lake, current=runs, champion=champion, history=history)
    record = {
        "key": key,
        "edition": lake.edition,
        "data_fingerprint": lake.fingerprint,
        "champion": champion.run_id,
        "variant": champion.record["variant"],
        "valid_mse": champion.record["mse"],
    }
    fill = partial(create_tables, inputs=inputs)
    return publish_snapshot(data.serve, fill, refuse_bad_tables, record, write_report), True
