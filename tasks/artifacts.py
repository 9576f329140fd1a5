"""Artifacts: what a flow run's page shows besides its log."""

import base64
import math
import os
from typing import Any

from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_table_artifact,
)

from collab.lake import Manifest
from collab.release.snapshot import Snapshot
from collab.report.curves import learning_curves
from collab.runs.record import Run

ENV_SERVE_URL = "COLLAB_SERVE_URL"
COLUMNS = ("variant", "mse", "rmse", "mae", "train_seconds", "peak_memory_mib", "device", "run_id")


def show_checks(lake: Manifest) -> None:
    """The results of the checks of the data, the failed ones first; of these how severe it is."""
    rows = check_rows(lake.checks())
    create_table_artifact(
        rows,
        key=f"checks-{lake.edition}",
        description=f"{lake.edition} {lake.fingerprint[:12]}: {lake.counts['ratings']:,} ratings",
    )


def check_rows(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The checks as they are shown: errors, warnings, and then what passed, in a word."""
    order = {"error": 0, "warning": 1, "passed": 2}
    rows = [
        {
            "result": "passed" if check["passed"] else check["severity"],
            **{name: value for name, value in check.items() if name not in {"passed", "severity"}},
        }
        for check in checks
    ]
    return sorted(rows, key=lambda row: order[row["result"]])


def show_training(lake: Manifest, runs: list[Run]) -> None:
    """The leaderboard as a table and the learning curves as an image."""
    best_first = sorted(runs, key=valid_mse)
    create_table_artifact(
        [leaderboard_row(run) for run in best_first],
        key=f"leaderboard-{lake.edition}",
        description=f"Errors on the held-out ratings of {lake.edition}, best first",
    )
    svg = base64.b64encode(learning_curves(best_first).encode()).decode()
    create_image_artifact(
        f"data:image/svg+xml;base64,{svg}",
        key=f"curves-{lake.edition}",
        description="Valid MSE by epoch",
    )


def valid_mse(run: Run) -> float:
    """What runs are sorted by; what is no number comes last."""
    mse = run.record.mse
    return mse if mse is not None and math.isfinite(mse) else math.inf


def leaderboard_row(run: Run) -> dict[str, Any]:
    """One row, numbers rounded to what is read."""
    row = {name: getattr(run.record, name) for name in COLUMNS}
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}


def show_publication(snapshot: Snapshot, report_error: str | None) -> None:
    """A link to the report of a publication: below COLLAB_SERVE_URL where that is set."""
    served, record = os.environ.get(ENV_SERVE_URL), snapshot.record
    page = f"{record.edition}/snapshots/{snapshot.folder.name}/report.html"
    failed = f" The report failed: {report_error}" if report_error else ""
    create_link_artifact(
        f"{served.rstrip('/')}/{page}" if served else (snapshot.folder / "report.html").as_uri(),
        key=f"report-{record.edition}",
        link_text=f"Report of snapshot {snapshot.seq:06d}",
        description=f"Champion {record.variant}, {record.champion}.{failed}",
    )
