"""The gate for the champion: not worse than the one published before it, on equal rows."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collab.base.errors import CollabError
from collab.evaluation.judged import Judged, judge, judge_published
from collab.evaluation.paired import Difference, paired_difference
from collab.release.snapshot import Snapshot, current_snapshot, list_snapshots
from collab.runs.record import Run

log = logging.getLogger(__name__)

MAX_REGRESSION = 0.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A champion beside the last published one, on equal rows.

    baseline: its error less that of user and item means (`bias_only`), stars squared, with the ends
        of its 95 % interval; None where they were not measured.
    max_regression: how much worse it may surely be, as a part of the earlier error; None: no gate.
    compared_with: the snapshot of the earlier one; None where there is none to compare with.
    regression: how much worse it is, likewise; below 0 it is better. `regression_low` and
        `regression_high` are the ends of its 95 % interval.
    """

    max_regression: float | None
    compared_with: int | None = None
    regression: float | None = None
    regression_low: float | None = None
    regression_high: float | None = None
    baseline: float | None = None
    baseline_low: float | None = None
    baseline_high: float | None = None

    def record(self) -> dict[str, Any]:
        """Plain values, for `publish_info` and `snapshot.json`."""
        return asdict(self)


def require_sensible(max_regression: float) -> None:
    """Refuse a limit that no champion or every champion passes.

    Raises:
        CollabError: it is negative or not a number.
    """
    if not 0 <= max_regression < float("inf"):
        raise CollabError(
            f"max_regression is {max_regression:g}; expected a part such as 0.02, "
            "which is 2%. To publish whatever comes, use --no-gate."
        )


def against_baseline(champion: Run, baseline: Run | None, *, gate: bool) -> dict[str, Any]:
    """A champion beside user and item means on the same rows, as `Comparison` names it.

    Raises:
        CollabError: it is not surely better; nothing is published.
    """
    if baseline is None:
        return {}
    now, means = judge(champion), judge(baseline)
    found = paired_difference(now, means)
    if gate and not found.high < 0:
        raise CollabError(
            f"The champion {champion.run_id} has valid MSE {now.mse:.4f} and user and item means "
            f"have {means.mse:.4f}: a difference of {found.value:+.4f}, 95 % interval "
            f"{found.low:+.4f} to {found.high:+.4f}. Expected one surely below 0: what was learnt "
            "says no more than means do. Nothing was published and the last publication stands.\n"
            "Train other variants or longer; to publish it all the same, give --no-gate."
        )
    return {"baseline": found.value, "baseline_low": found.low, "baseline_high": found.high}


def compare(serve: Path, champion: Run, max_regression: float | None) -> Comparison:
    """Set a champion beside the last published one of the same validation rows.

    Args:
        serve: the folder that analysts read, of one edition.
        champion: the evaluated run of the champion recipe.
        max_regression: by how much, as a part, its error may surely be larger; None: no limit.

    Raises:
        CollabError: even the low end of the interval is worse by more; nothing is published.
    """
    comparable = last_comparable(serve, champion)
    if comparable is None:
        return Comparison(max_regression=max_regression)
    last, before = comparable
    now = judge(champion)
    # what is an item, and so which rows are repeated, may have been settled otherwise
    before, now = before.within(now), now.within(before)
    found = paired_difference(now, before)
    if max_regression is not None and found.low > max_regression * before.mse:
        raise refused(champion, last, found, now.mse, before.mse, max_regression)
    if max_regression is None:
        part = 100 * found.value / before.mse
        log.warning("No gate: %.4f is %+.1f%% beside snapshot %d", now.mse, part, last.seq)
    return Comparison(
        max_regression=max_regression,
        compared_with=last.seq,
        regression=found.value / before.mse,
        regression_low=found.low / before.mse,
        regression_high=found.high / before.mse,
    )


def refused(
    champion: Run, last: Snapshot, found: Difference, now: float, before: float, limit: float
) -> CollabError:
    """The error for a champion that is worse."""
    low, high = 100 * found.low / before, 100 * found.high / before
    return CollabError(
        f"The champion {champion.run_id} has valid MSE {now:.4f}, {now / before - 1:.1%} worse "
        f"(95 % interval {low:+.1f} % to {high:+.1f} %) than {before:.4f} of snapshot {last.seq} "
        f"on the same ratings; {limit:.1%} is allowed. Nothing was published and the last "
        "publication stands.\nLook into the runs; to publish them all the same, raise "
        "--max-regression or give --no-gate."
    )


def last_comparable(serve: Path, champion: Run) -> tuple[Snapshot, Judged] | None:
    """The publication to measure up to and its champion's errors; None: there is none.

    What is damaged is passed over, so that it can be replaced.
    """
    for snapshot in of_equal_rows(serve, champion):
        predictions = snapshot.folder / "parquet" / "predictions.parquet"
        try:
            return snapshot, judge_published(predictions, snapshot.record.champion)
        except (OSError, ValueError) as error:
            log.warning("Snapshot %d is damaged and compared with nothing: %s", snapshot.seq, error)
    return None


def of_equal_rows(serve: Path, champion: Run) -> Iterator[Snapshot]:
    """The publications measured on the same rows: what is served now, then the newest first.

    What was rolled back is passed over: it was found wanting. So is what is as of an earlier day.
    """
    current = current_snapshot(serve)
    others = [snapshot for snapshot in list_snapshots(serve) if not snapshot.withdrawn]
    for snapshot in [current, *others] if current else others:
        record, now = snapshot.record, champion.record
        same = (record.archive_sha256, record.split) == (now.archive_sha256, now.protocol.label)
        if same and record.as_of is None:
            yield snapshot
