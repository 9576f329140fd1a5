"""Create the published tables and fill those of the data; the others have modules of their own."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from collab.base.database import insert, read_parquet
from collab.evaluation.standings import Evaluation
from collab.lake import Manifest
from collab.movielens.editions import get_edition
from collab.release.bias_history import insert_bias_history
from collab.release.interpret import Model, load_model
from collab.release.model_tables import insert_model
from collab.release.regression import Comparison
from collab.release.run_models import insert_run_models
from collab.release.runs_tables import (
    insert_predictions,
    insert_reliability,
    insert_runs,
    insert_standings,
)
from collab.release.similarity import popular_from
from collab.runs.record import Run

SQL = files("collab.release") / "sql"
SCRIPTS = (
    "data.sql",
    "runs.sql",
    "model.sql",
    "run_models.sql",
    "examples.sql",
    "benchmarks.sql",
    "views.sql",
    "titles.sql",
    "paired.sql",
    "macros.sql",
    "newcomers.sql",
)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a publication is made from.

    lake: the data.
    evaluation: every variant's place, and the champion.
    refit: the champion recipe's run on all ratings: bias, similarity and so on come from it.
    history: every run of the edition, the current ones included.
    as_of: of these the champion recipe's as of earlier days, by day.
    comparison: the champion beside the last published one.
    left_out: variants and parts of tables that failed or did not fit, each with the reason.
    undeclared: how it differs from what is declared of the edition.
    beyond: of those the tables, with their reasons by name.
    """

    lake: Manifest
    evaluation: Evaluation
    refit: Run
    history: list[Run]
    as_of: list[Run]
    comparison: Comparison
    left_out: tuple[str, ...]
    undeclared: tuple[str, ...]
    beyond: dict[str, str]


def create_tables(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Create every published table, view and macro, and fill the tables."""
    model = load_model(inputs.refit)
    for script in SCRIPTS:
        con.execute((SQL / script).read_text(encoding="utf-8"))
    insert_data(con, inputs.lake, inputs.refit.record.as_of)
    counts = con.execute("SELECT sum(n_ratings) FROM movies GROUP BY item_id").fetchall()
    popular = popular_from([n for (n,) in counts])
    insert(con, "publish_info", pd.DataFrame([info_record(inputs, model, popular)]))
    insert(con, "check_results", pd.DataFrame(inputs.lake.checks()))
    insert_runs(con, inputs.evaluation, inputs.refit, inputs.history)
    insert_standings(con, inputs.evaluation)
    alone = "predictions" in inputs.beyond
    runs = [inputs.evaluation.champion.run] if alone else inputs.evaluation.runs
    insert_predictions(con, runs)
    insert_reliability(con, inputs.evaluation)
    insert_run_models(con, inputs.evaluation.runs, factors="run_factors" not in inputs.beyond)
    insert_model(con, model, recommend="recommendations" not in inputs.beyond)
    insert_bias_history(con, inputs.as_of)
    for table, reason in inputs.beyond.items():
        say_left_out(con, table, reason)


def say_left_out(con: duckdb.DuckDBPyConnection, table: str, reason: str) -> None:
    """Add to the comment of a table what it lacks here."""
    ((comment,),) = con.execute(
        "SELECT comment FROM duckdb_tables() "
        "WHERE database_name = current_database() AND table_name = $table",
        {"table": table},
    ).fetchall()
    text = f"{comment}. Left out of this publication: {reason}".replace("'", "''")
    con.execute(f"COMMENT ON TABLE {table} IS '{text}'")


def insert_data(con: duckdb.DuckDBPyConnection, lake: Manifest, as_of: str | None) -> None:
    """Fill `ratings`, as of a moment where one is given, `users`, and `movies` with counts."""
    last = datetime.fromisoformat(as_of).timestamp() if as_of else None
    con.execute(
        f"INSERT INTO ratings BY NAME FROM {read_parquet(lake.ratings)} "
        "WHERE $last IS NULL OR ts <= $last",
        {"last": last},
    )
    con.execute(f"INSERT INTO users BY NAME FROM {read_parquet(lake.users)}")
    con.execute(
        f"""
        INSERT INTO movies BY NAME
        SELECT movies.*, coalesce(n, 0) AS n_ratings, fold_title(title) AS title_folded
        FROM {read_parquet(lake.movies)} AS movies
        LEFT JOIN (SELECT movie_id, count(*) AS n FROM ratings GROUP BY ALL) USING (movie_id)
        ORDER BY movie_id"""
    )


def as_ingested(inputs: Inputs) -> dict[str, Path]:
    """The tables that are published as they lie in the lake, and their Parquet files there."""
    if inputs.refit.record.as_of:
        return {"users": inputs.lake.users}
    return {"users": inputs.lake.users, "ratings": inputs.lake.ratings}


def info_record(inputs: Inputs, model: Model, popular: int) -> dict[str, Any]:
    """The row of `publish_info`."""
    edition, champion = get_edition(inputs.lake.edition), inputs.evaluation.champion
    y_low, y_high = model.factors.y_range or (None, None)
    clip_low, clip_high = model.factors.clip or (None, None)
    return {
        "published_at": datetime.now(UTC).replace(tzinfo=None),
        "edition": edition.name,
        "data_fingerprint": inputs.lake.fingerprint,
        "data_source": inputs.lake.source["origin"],
        "data_warnings": list(inputs.lake.source["warnings"]),
        "as_of": naive(inputs.refit.record.as_of),
        "champion_variant": champion.run.record.variant,
        "champion_run_id": champion.run.run_id,
        "release_run_id": inputs.refit.run_id,
        "chosen_on": [run.record.protocol.label for run in chosen_on(inputs.evaluation)],
        "expected_mse": champion.mean_mse,
        "expected_sd": champion.sd_mse,
        "shares_first_place": inputs.evaluation.shared,
        "left_out": list(inputs.left_out),
        "undeclared": list(inputs.undeclared),
        "mean": model.factors.mean,
        "y_low": y_low,
        "y_high": y_high,
        "clip_low": clip_low,
        "clip_high": clip_high,
        "popular_from": popular,
        **inputs.comparison.record(),
        "licence": edition.licence,
        "citation": edition.citation,
        "collab_version": version("collab"),
    }


def chosen_on(evaluation: Evaluation) -> list[Run]:
    """The champion recipe's evaluated runs."""
    variant = evaluation.champion.run.record.variant
    more = [run for run in evaluation.confirmations if run.record.variant == variant]
    return [evaluation.champion.run, *more]


def naive(moment: str | None) -> datetime | None:
    """A moment in UTC as DuckDB's TIMESTAMP holds it."""
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None) if moment else None
