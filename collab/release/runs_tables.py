"""Fill the tables of the training runs: what they were, how they went, what they predict."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd

from collab.base.database import insert, read_parquet
from collab.estimators.api import Recipe
from collab.estimators.sgd.settings import Settings
from collab.evaluation.standings import Evaluation, Standing
from collab.release.remembered import metrics_of
from collab.runs.record import Run
from collab.runs.write import RELIABILITY

# a run's record names its errors as the metrics are named; the tables say of which rows
RENAMED = {"valid_mse": "mse", "valid_rmse": "rmse", "valid_mae": "mae", "epochs": "passes"}
DROPPED = {"schema", "key", "archive_sha256", "dataset_key", *RENAMED.values()}


def insert_runs(
    con: duckdb.DuckDBPyConnection, evaluation: Evaluation, refit: Run, history: list[Run]
) -> None:
    """Fill `runs` and `metrics` with every run."""
    roles = {run.run_id: "confirmation" for run in evaluation.confirmations}
    roles |= {run.run_id: "leaderboard" for run in evaluation.runs} | {refit.run_id: "release"}
    champion = evaluation.champion.run.run_id
    every = {run.run_id: run for run in [*history, *evaluation.runs, refit]}
    records = [run_record(run, roles.get(run.run_id), champion) for run in every.values()]
    insert(con, "runs", pd.DataFrame(records))
    for run in every.values():
        named = metrics_of(run).assign(run_id=run.run_id, variant=run.record.variant)
        insert(con, "metrics", named)


def run_record(run: Run, role: str | None, champion: str) -> dict[str, Any]:
    """One row of `runs`."""
    record = asdict(run.record)
    plain = {name: value for name, value in record.items() if name not in DROPPED}
    return {
        **plain,
        **{name: record[old] for name, old in RENAMED.items()},
        **settings(run),
        "protocol": run.record.protocol.name,
        "split_name": run.record.protocol.label,
        "split_seed": run.record.protocol.split_seed,
        "valid_pct": run.record.n_valid / (run.record.n_valid + run.record.n_train),
        **{name: json.dumps(record[name]) for name in ("recipe", "versions", "stages")},
        "started_at": moment(run.record.started_at),
        "as_of": moment(run.record.as_of) if run.record.as_of else None,
        "supplies_tables": run.record.supplies_tables,
        "role": role or "history",
        "is_current": role == "leaderboard",
        "is_champion": run.run_id == champion,
        "is_release": role == "release",
    }


def moment(text: str) -> datetime:
    """A moment of a record, UTC, as DuckDB's TIMESTAMP holds it."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def settings(run: Run) -> dict[str, float | int | None]:
    """What a run that descends was set to; of an estimator that is not known now, nothing."""
    unset = dict.fromkeys(("batch_size", "lr_max", "wd"))
    try:
        estimator = Recipe.from_json(run.record.recipe).estimator
    except ValueError:
        return unset
    if not isinstance(estimator, Settings):
        return unset
    sized = estimator.sized(run.record.n_users + 1, run.record.n_items + 1)
    size = min(sized.batch_size, run.record.n_train)
    return {"batch_size": size, "lr_max": estimator.lr_max, "wd": estimator.wd}


def insert_standings(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> None:
    """Fill `standings`: every variant's place and how sure it is."""
    insert(con, "standings", pd.DataFrame([standing_record(s) for s in evaluation.standings]))


def standing_record(standing: Standing) -> dict[str, Any]:
    """One row of `standings`."""
    return {
        "run_id": standing.run.run_id,
        "variant": standing.run.record.variant,
        "place": standing.place,
        "judged_mse": standing.judged_mse,
        "behind": standing.behind.value,
        "behind_low": standing.behind.low,
        "behind_high": standing.behind.high,
        "differs": standing.behind.differs,
        "mean_mse": standing.mean_mse,
        "sd_mse": standing.sd_mse,
        "n_splits": len(standing.split_mses),
    }


def insert_reliability(con: duckdb.DuckDBPyConnection, evaluation: Evaluation) -> None:
    """Fill `class_reliability` from the runs of the leaderboard that say how sure they are."""
    for run in evaluation.runs:
        if (path := run.folder / RELIABILITY).exists():
            insert(
                con,
                "class_reliability",
                pd.read_parquet(path).assign(run_id=run.run_id, variant=run.record.variant),
            )


def insert_predictions(con: duckdb.DuckDBPyConnection, runs: list[Run]) -> None:
    """Fill `predictions` with those of some runs."""
    for run in runs:
        con.execute(
            "INSERT INTO predictions BY NAME SELECT $run_id AS run_id, * "  # noqa: S608
            f"FROM {read_parquet(run.folder / 'predictions.parquet')}",
            {"run_id": run.run_id},
        )
