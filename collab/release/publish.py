"""One publication: choose the champion, build the tables, check them, flip."""

from functools import partial
from typing import Any

from collab.base.files import is_whole
from collab.base.fingerprint import code_digest, fingerprint
from collab.lake import Manifest
from collab.base.paths import DataDir
from collab.release.gates import refuse_bad_tables
from collab.release.interpret import choose_champion
from collab.release.links import flip
from collab.release.regression import MAX_REGRESSION, Comparison, compare
from collab.report import write_report
from collab.release.rollback import kept_back
from collab.release.snapshot import Snapshot, current_snapshot, publish_lock, publish_snapshot
from collab.release.tables import Inputs, create_tables
from collab.runs.run import Run, committed_runs


def publish(
    lake: Manifest,
    runs: list[Run],
    data: DataDir,
    *,
    force: bool = False,
    max_regression: float | None = MAX_REGRESSION,
) -> tuple[Snapshot, bool]:
    """Publish the tables of an edition's data and runs.

    Args:
        lake: the data.
        runs: the runs to publish; at least one has factors and biases.
        data: the data folder.
        force: publish even where the same is published, or was and has been rolled back.
        max_regression: how much worse than the last published one the champion's valid MSE may be,
            as a part of it; None publishes whatever comes.

    Returns:
        The snapshot that is served, and whether it was made now.

    Raises:
        CollabError: a gate refused the tables; the last publication stands.
    """
    with publish_lock(data.serve):  # from here on: of two publishers the later sees all runs
        history = [
            run for run in committed_runs(data.runs) if run.record["edition"] == lake.edition
        ]
        key = publication_key(lake, runs, history)
        last = current_snapshot(data.serve)
        if not force:
            stays = last if last and last.record["key"] == key else kept_back(data.serve, key)
            if stays and is_whole(stays.folder):
                flip(data.serve, stays.folder)  # makes again whichever link is missing
                return stays, False
        champion = choose_champion(runs)
        comparison = compare(data.serve, champion, max_regression)
        inputs = Inputs(
            lake=lake, current=runs, champion=champion, history=history, comparison=comparison
        )
        fill = partial(create_tables, inputs=inputs)
        record = snapshot_record(key, champion, comparison)
        return publish_snapshot(data.serve, fill, refuse_bad_tables, record, write_report), True


def publication_key(lake: Manifest, runs: list[Run], history: list[Run]) -> str:
    """Hex sha256 of all that a publication's content depends on."""
    return fingerprint(
        data=lake.fingerprint,
        current=sorted(run.run_id for run in runs),
        history=sorted(run.run_id for run in history),
        code=code_digest("publish"),
    )


def snapshot_record(key: str, champion: Run, comparison: Comparison) -> dict[str, Any]:
    """What `snapshot.json`, and so `latest.json`, says of a publication."""
    copied = (
        "edition",
        "archive_sha256",
        "data_fingerprint",
        "variant",
        "seed",
        "valid_pct",
    )
    return {
        "key": key,
        **{name: champion.record[name] for name in copied},
        "champion": champion.run_id,
        "valid_mse": champion.record["mse"],
        **comparison.record(),
    }
