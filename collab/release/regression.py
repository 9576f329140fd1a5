"""The gate for the champion: not much worse than the one published before it."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collab.base.errors import CollabError
from collab.release.snapshot import Snapshot, current_snapshot, list_snapshots
from collab.runs.run import Run

log = logging.getLogger(__name__)

MAX_REGRESSION = 0.02
SAME = (
    "edition",
    "archive_sha256",
    "seed",
    "valid_pct",
)  # only then are two errors of the same ratings


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A champion beside the last published one.

    max_regression: how much worse it may be, as a part of the earlier valid MSE; None: no gate.
    compared_with: the snapshot of the earlier one; None where there is none to compare with.
    regression: how much worse it is, likewise; below 0 it is better.
    """

    max_regression: float | None
    compared_with: int | None
    regression: float | None

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
            f"max_regression is {max_regression:g}; expected a part such as {MAX_REGRESSION}, "
            "which is 2%. To publish whatever comes, use --no-gate."
        )


def compare(serve: Path, champion: Run, max_regression: float | None) -> Comparison:
    """Set a champion beside the last published one of the same edition, seed and valid_pct.

    Args:
        serve: the folder that analysts read.
        champion: the run to publish.
        max_regression: the most that its valid MSE may be worse, as a part; None: no limit.

    Raises:
        CollabError: it is worse by more than that; nothing is published.
    """
    last = last_comparable(serve, champion)
    if last is None:
        return Comparison(max_regression=max_regression, compared_with=None, regression=None)
    before, now = float(last.record["valid_mse"]), float(champion.record["mse"])
    worse = now / before - 1
    if max_regression is not None and worse > max_regression:
        raise CollabError(
            f"The champion {champion.run_id} has valid MSE {now:.4f}, {worse:.1%} worse than "
            f"{before:.4f} of snapshot {last.seq} on the same ratings; {max_regression:.1%} is "
            "allowed. Nothing was published and the last publication stands.\n"
            "Look into the runs; to publish them all the same, raise --max-regression or give "
            "--no-gate."
        )
    if max_regression is None:
        log.warning("No gate: %s is %+.1f%% beside snapshot %d", now, 100 * worse, last.seq)
    return Comparison(max_regression=max_regression, compared_with=last.seq, regression=worse)


def last_comparable(serve: Path, champion: Run) -> Snapshot | None:
    """The publication to measure up to: what is served now, else the newest of the same split.

    What was rolled back is passed over: it was found wanting.
    """
    current = current_snapshot(serve)
    others = [snapshot for snapshot in list_snapshots(serve) if not snapshot.withdrawn]
    for snapshot in [current, *others] if current else others:
        if all(snapshot.record.get(name) == champion.record[name] for name in SAME):
            return snapshot
    return None
