"""Create and fill the published tables from a lake folder and run folders."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import duckdb
import pandas as pd

from collab.lake import Manifest
from collab.movielens.editions import get_edition
from collab.release.champion import insert, insert_interpretation
from collab.release.interpret import sigmoid_ends
from collab.release.regression import Comparison
from collab.runs.run import Run

SQL = files("collab.release") / "sql"
SCRIPTS = ("data.sql", "runs.sql", "model.sql", "examples.sql", "views.sql", "macros.sql")
PREDICTIONS_OF_ALL = 10_000_000  # rows; beyond, those of the champion alone
# a run's `run.json` names its errors as the metrics are named; the tables say of which rows
RENAMED = {"valid_mse": "mse", "valid_rmse": "rmse", "valid_mae": "mae"}
FROM_RECIPE = ("epochs", "lr_max", "wd")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a publication is made from.

    lake: the data.
    current: the runs it is made for.
    champion: the one of them that supplies bias, similarity and PCA.
    history: every run of the edition, the current ones included.
    comparison: the champion beside the last published one.
    """

    lake: Manifest
    current: list[Run]
    champion: Run
    history: list[Run]
    comparison: Comparison


def create_tables(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Create every published table, view and macro, and fill the tables."""
    for script in SCRIPTS:
        con.execute((SQL / script).read_text(encoding="utf-8"))
    insert(con, "publish_info", pd.DataFrame([info_record(inputs)]))
    for name in ("movies", "users", "ratings"):
        path = str(inputs.lake.path / f"{name}.parquet")
        con.execute(f"INSERT INTO {name} BY NAME FROM read_parquet($path)", {"path": path})
    insert(con, "check_results", pd.DataFrame(inputs.lake.checks()))
    insert_runs(con, inputs)
    insert_predictions(con, inputs)
    insert_interpretation(con, inputs.champion)


def info_record(inputs: Inputs) -> dict[str, Any]:
    """The row of `publish_info`."""
    edition = get_edition(inputs.lake.edition)
    y_low, y_high = sigmoid_ends(inputs.champion) or (None, None)
    return {
        "published_at": datetime.now(UTC).replace(tzinfo=None),
        "edition": edition.name,
        "data_fingerprint": inputs.lake.fingerprint,
        "data_source": inputs.lake.source["origin"],
        "data_warnings": list(inputs.lake.source["warnings"]),
        "champion_run_id": inputs.champion.run_id,
        "y_low": y_low,
        "y_high": y_high,
        **inputs.comparison.record(),
        "licence": edition.licence,
        "citation": edition.citation,
        "collab_version": version("collab"),
    }


def insert_runs(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Fill `runs` and `metrics` with every run."""
    current = {run.run_id for run in inputs.current}
    records = [run_record(run, current, inputs.champion.run_id) for run in inputs.history]
    insert(con, "runs", pd.DataFrame(records))
    for run in inputs.history:
        metrics = pd.read_parquet(run.folder / "metrics.parquet")
        named = metrics.assign(run_id=run.run_id, variant=run.record["variant"])
        insert(con, "metrics", named)


def insert_predictions(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Fill `predictions` with the current runs' or, where those are too many, the champion's."""
    rows = sum(run.record["n_valid"] for run in inputs.current)
    for run in inputs.current if rows <= PREDICTIONS_OF_ALL else [inputs.champion]:
        con.execute(
            "INSERT INTO predictions BY NAME SELECT $run_id AS run_id, * FROM read_parquet($path)",
            {"run_id": run.run_id, "path": str(run.folder / "predictions.parquet")},
        )


def run_record(run: Run, current: set[str], champion: str) -> dict[str, Any]:
    """One row of `runs`."""
    record = run.record
    dropped = {"key", "archive_sha256", "recipe", "versions", "mse", "rmse", "mae", "started_at"}
    return {
        **{name: value for name, value in record.items() if name not in dropped},
        **{name: record[old] for name, old in RENAMED.items()},
        **{name: record["recipe"][name] for name in FROM_RECIPE},
        "recipe": json.dumps(record["recipe"]),
        "versions": json.dumps(record["versions"]),
        "stages": json.dumps(record["stages"]),
        "started_at": datetime.fromisoformat(record["started_at"]).replace(tzinfo=None),
        "is_current": run.run_id in current,
        "is_champion": run.run_id == champion,
    }
