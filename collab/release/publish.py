"""One publication: compare the champion, build the tables, prove them, flip."""

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from collab.base.files import is_whole
from collab.base.fingerprint import code_digest, fingerprint
from collab.base.paths import DataDir
from collab.evaluation.standings import Evaluation
from collab.lake import Manifest
from collab.release.bias_history import runs_as_of
from collab.release.gates import proven, refuse_bad_tables
from collab.release.links import flip
from collab.release.regression import MAX_REGRESSION, Comparison, against_baseline, compare
from collab.release.remembered import all_runs
from collab.release.rollback import kept_back
from collab.release.room import TABLE_SECONDS, beyond
from collab.release.snapshot import (
    Snapshot,
    current_snapshot,
    list_snapshots,
    publish_lock,
    publish_snapshot,
)
from collab.release.tables import Inputs, as_ingested, create_tables
from collab.runs.record import Run


@dataclass(frozen=True, kw_only=True)
class Release:
    """What is to be published.

    lake: the data.
    evaluation: every variant's place, and the champion.
    refit: the champion recipe's run on all ratings.
    baseline: user and item means on the rows the champion was measured on; None: not measured.
    left_out: variants that failed or did not fit, each with the reason.
    undeclared: how it differs from what is declared of the edition, published by an override.
    """

    lake: Manifest
    evaluation: Evaluation
    refit: Run
    baseline: Run | None = None
    left_out: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()

    @property
    def runs(self) -> list[Run]:
        """All runs it rests on."""
        runs = [*self.evaluation.runs, *self.evaluation.confirmations, self.refit]
        return runs if self.baseline is None else [*runs, self.baseline]


def publish(
    release: Release,
    data: DataDir,
    *,
    force: bool = False,
    max_regression: float | None = MAX_REGRESSION,
    table_seconds: float = TABLE_SECONDS,
) -> tuple[Snapshot, bool]:
    """Publish the tables of a release.

    Args:
        release: what to publish.
        data: the data folder.
        force: publish even where the same is published, or was and has been rolled back.
        max_regression: by how much, as a part, the champion's error may surely be larger than the
            last published one's; None publishes whatever comes, also what is no better than means.
        table_seconds: of one core that recommendations for all users and the predictions of all
            variants may take; what is estimated to take more is left out, and said to be.

    Returns:
        The snapshot, and whether it was made now. One as of an earlier day is never served.

    Raises:
        CollabError: a gate refused the tables; the last publication stands.
    """
    edition, serve = release.lake.edition, data.serve / release.lake.edition
    serves = release.refit.record.as_of is None
    with publish_lock(serve):  # from here on: of two publishers the later sees all runs
        history = [run for run in all_runs(data) if run.record.edition == edition]
        lacking = beyond(release.evaluation, release.refit, table_seconds)
        release = replace(release, left_out=(*release.left_out, *lacking.values()))
        key = publication_key(release, history)
        stays = None if force else same_content(serve, key, serves=serves)
        if stays and is_whole(stays.folder):
            if serves:
                flip(serve, stays.folder)  # makes again whichever link is missing
            return stays, False
        champion = release.evaluation.champion.run
        gate = max_regression is not None
        comparison = replace(
            compare(serve, champion, max_regression) if serves else NO_COMPARISON,
            **against_baseline(champion, release.baseline, gate=gate),
        )
        earlier = runs_as_of(history, champion, release.refit.record.as_of)
        inputs = Inputs(
            lake=release.lake,
            evaluation=release.evaluation,
            refit=release.refit,
            history=history,
            as_of=earlier,
            comparison=comparison,
            left_out=release.left_out,
            undeclared=release.undeclared,
            beyond=lacking,
        )
        fill = partial(create_tables, inputs=inputs)
        record = snapshot_record(key, release, comparison, earlier)
        check = partial(refuse_bad_tables, known=proven(release.lake.checks()))
        at_hand = as_ingested(inputs)
        return publish_snapshot(serve, fill, check, record, serves=serves, at_hand=at_hand), True


def same_content(serve: Path, key: str, *, serves: bool) -> Snapshot | None:
    """What stays as it is because this content is published, or was and has been rolled back."""
    if not serves:
        return next((found for found in list_snapshots(serve) if found.record.key == key), None)
    last = current_snapshot(serve)
    return last if last and last.record.key == key else kept_back(serve, key)


NO_COMPARISON = Comparison(max_regression=None)


def publication_key(release: Release, history: list[Run]) -> str:
    """Hex sha256 of all that a publication's content depends on."""
    return fingerprint(
        data=release.lake.fingerprint,
        current=sorted({run.run_id for run in release.runs}),
        history=sorted(run.run_id for run in history),
        left_out=sorted(release.left_out),
        undeclared=sorted(release.undeclared),
        code=code_digest("evaluation", "release"),
    )


def snapshot_record(
    key: str, release: Release, comparison: Comparison, earlier: list[Run]
) -> dict[str, Any]:
    """What `snapshot.json` says of a publication, but for its number, time and version."""
    runs = [*release.runs, *earlier]
    champion = release.evaluation.champion
    record = champion.run.record
    copied = ("edition", "archive_sha256", "data_fingerprint", "variant", "seed", "as_of")
    return {
        "key": key,
        **{name: getattr(record, name) for name in copied},
        "champion": champion.run.run_id,
        "release": release.refit.run_id,
        "split": record.protocol.label,
        "valid_mse": record.mse,
        "mean_mse": champion.mean_mse,
        "sd_mse": champion.sd_mse,
        "n_splits": len(champion.split_mses),
        "runs": sorted({run.run_id for run in runs}),
        "datasets": sorted({run.record.dataset for run in runs}),
        "left_out": list(release.left_out),
        "undeclared": list(release.undeclared),
        **asdict(comparison),
    }
