"""Fill the published tables from a lake folder and run folders."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from collab.lake import Manifest
from collab.movielens.editions import get_edition
from collab.publish.interpret import bias_table, load_factors, pca_table, similarity_table
from collab.training.run import Run

SCHEMA = files("collab.publish") / "sql" / "schema.sql"
PCA_ITEMS = 1000
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
    """

    lake: Manifest
    current: list[Run]
    champion: Run
    history: list[Run]


def create_tables(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Create and fill every published table and view."""
    con.execute(SCHEMA.read_text(encoding="utf-8"))
    insert(con, "publish_info", pd.DataFrame([info_record(inputs)]))
    for name in ("movies", "users", "ratings"):
        path = str(inputs.lake.path / f"{name}.parquet")
        con.execute(f"INSERT INTO {name} BY NAME FROM read_parquet($path)", {"path": path})
    insert(con, "check_results", pd.DataFrame(inputs.lake.checks()))
    insert_runs(con, inputs)
    insert_interpretation(con, inputs.champion)


def insert(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Insert a frame's rows; the columns go by name and are cast to the table's types."""
    con.register("frame", frame)
    con.execute(f"INSERT INTO {table} BY NAME FROM frame")
    con.unregister("frame")


def info_record(inputs: Inputs) -> dict[str, Any]:
    """The row of `publish_info`."""
    edition = get_edition(inputs.lake.edition)
    return {
        "published_at": datetime.now(UTC).replace(tzinfo=None),
        "edition": edition.name,
        "data_fingerprint": inputs.lake.fingerprint,
        "data_source": inputs.lake.source["origin"],
        "data_warnings": list(inputs.lake.source["warnings"]),
        "champion_run_id": inputs.champion.run_id,
        "licence": edition.licence,
        "citation": edition.citation,
        "collab_version": version("collab"),
    }


def insert_runs(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Fill `runs` and `metrics` with every run, `predictions` with the current ones'."""
    current = {run.run_id for run in inputs.current}
    records = [run_record(run, current, inputs.champion.run_id) for run in inputs.history]
    insert(con, "runs", pd.DataFrame(records))
    for run in inputs.history:
        metrics = pd.read_parquet(run.folder / "metrics.parquet")
        named = metrics.assign(run_id=run.run_id, variant=run.record["variant"])
        insert(con, "metrics", named)
    for run in inputs.current:
        con.execute(
            "INSERT INTO predictions BY NAME SELECT $run_id AS run_id, * FROM read_parquet($path)",
            {"run_id": run.run_id, "path": str(run.folder / "predictions.parquet")},
        )


def run_record(run: Run, current: set[str], champion: str) -> dict[str, Any]:
    """One row of `runs`."""
    record = run.record
    dropped = {"key", "recipe", "versions", "mse", "rmse", "mae", "started_at"}
    return {
        **{name: value for name, value in record.items() if name not in dropped},
        **{name: record[old] for name, old in RENAMED.items()},
        **{name: record["recipe"][name] for name in FROM_RECIPE},
        "recipe": json.dumps(record["recipe"]),
        "versions": json.dumps(record["versions"]),
        "started_at": datetime.fromisoformat(record["started_at"]).replace(tzinfo=None),
        "is_current": run.run_id in current,
        "is_champion": run.run_id == champion,
    }


def insert_interpretation(con: duckdb.DuckDBPyConnection, champion: Run) -> None:
    """Fill the bias, similarity and PCA tables from the champion's weights."""
    items = load_factors(champion.folder, "item")
    users = load_factors(champion.folder, "user")
    rated = con.execute(
        "SELECT item_id, count(*) AS n_ratings FROM ratings JOIN movies USING (movie_id) "
        "GROUP BY item_id ORDER BY n_ratings DESC, item_id"
    ).df()
    by_user = con.execute("SELECT user_id, count(*) AS n_ratings FROM ratings GROUP BY ALL").df()
    most = rated["item_id"][rated["item_id"].isin(items.ids)][:PCA_ITEMS].to_numpy(np.int32)
    tables = {
        "movie_bias": bias_table(items, "item_id").merge(rated, on="item_id"),
        "user_bias": bias_table(users, "user_id").merge(by_user, on="user_id"),
        "movie_similarity": similarity_table(items),
        "movie_pca": pca_table(items, most).merge(rated, on="item_id"),
    }
    for name, table in tables.items():
        insert(con, name, table.assign(run_id=champion.run_id))
