"""Fill the tables of what each run of the leaderboard learnt: biases, factors, components."""

import logging

import duckdb
import numpy as np
import pandas as pd

from collab.base.database import insert
from collab.base.errors import CollabError
from collab.release.interpret import Model, bias_table, load_model, pca_table
from collab.release.model_tables import PCA_ITEMS, factor_table, ratings_by_item
from collab.runs.record import Run

log = logging.getLogger(__name__)


def insert_run_models(
    con: duckdb.DuckDBPyConnection, runs: list[Run], *, factors: bool = True
) -> None:
    """Fill every table of `run_models.sql`, but `run_factors` only where asked.

    Args:
        con: the tables of the data are filled already.
        runs: those without factors that explain their predictions are passed over.
        factors: whether theirs are published.
    """
    most_rated = ratings_by_item(con)["item_id"].to_numpy(np.int32)
    for run in runs:
        if not run.record.supplies_tables:
            continue
        try:
            insert_run(con, load_model(run), most_rated, factors=factors)
        except CollabError as error:
            log.warning("%s is in no table of factors: %s", run.record.variant, error)


def insert_run(
    con: duckdb.DuckDBPyConnection, model: Model, most_rated: np.ndarray, *, factors: bool
) -> None:
    """The rows of one run."""
    named = {"run_id": model.run.run_id, "variant": model.run.record.variant}
    chosen = most_rated[np.isin(most_rated, model.items.ids)][:PCA_ITEMS]
    pca, shares = pca_table(model.items, chosen)
    components = pd.DataFrame({"component": np.arange(len(shares)) + 1, "share": shares})
    insert(con, "run_bias", bias_table(model.items, "item_id").assign(**named))
    insert(con, "run_pca", pca.assign(**named))
    insert(con, "run_components", components.assign(**named))
    if factors:
        table = factor_table(model.items, "item_id", named["run_id"])
        variant = [named["variant"]] * len(table)
        insert(con, "run_factors", table.append_column("variant", [variant]))
