"""Fill the tables that say what the release learnt: biases, neighbours, factors and so on."""

from functools import partial

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor

from collab.base.database import insert
from collab.estimators.api import HasUncertainty
from collab.release.cold import insert_cold
from collab.release.interpret import COMPONENTS, Learnt, Model, bias_table, pca_table
from collab.release.newcomer import insert_newcomer
from collab.release.posterior import (
    Draws,
    bias_columns,
    gather,
    posterior_components,
    posterior_similarity,
)
from collab.release.recommend import recommendations
from collab.release.similarity import similarity_table

PCA_ITEMS = 1000


def insert_model(con: duckdb.DuckDBPyConnection, model: Model, *, recommend: bool = True) -> None:
    """Fill every table of `model.sql`; the tables of the data are filled already."""
    items, users, run_id = model.items, model.users, model.run.run_id
    by_item, by_user = ratings_by_item(con), ratings_by_user(con)
    draws = gather(model.fitted.samples()) if isinstance(model.fitted, HasUncertainty) else None
    of = None if draws is None else partial(posterior_components, draws, n=COMPONENTS)
    chosen = by_item["item_id"][by_item["item_id"].isin(items.ids)][:PCA_ITEMS].to_numpy(np.int32)
    pca, shares = pca_table(items, chosen, of)
    tables = {
        "movie_bias": sure_bias(items, "item_id", None if draws is None else draws.item_bias).merge(
            by_item
        ),
        "user_bias": sure_bias(users, "user_id", None if draws is None else draws.user_bias).merge(
            by_user
        ),
        "movie_similarity": neighbors(items, draws, popular_items(con, items)),
        "movie_pca": pca.merge(by_item.drop(columns="mean_rating")),
        "pca_components": pd.DataFrame({"component": np.arange(len(shares)) + 1, "share": shares}),
    }
    for name, table in tables.items():
        insert(con, name, table.assign(run_id=run_id))
    insert(con, "movie_factors", factor_table(items, "item_id", run_id))
    insert(con, "user_factors", factor_table(users, "user_id", run_id))
    insert_newcomer(con, model, by_item)
    insert_cold(con, model)
    for part in recommendations(model) if recommend else ():
        insert(con, "recommendations", part.assign(run_id=run_id))


def sure_bias(found: Learnt, id_name: str, draws: Tensor | None) -> pd.DataFrame:
    """One row for each id: bias, rank, and how sure it is where there are draws."""
    table = bias_table(found, id_name)
    if draws is None:
        return table
    return table.merge(
        bias_columns(draws, torch.tensor(found.bias)).assign(**{id_name: found.ids}), on=id_name
    )


def neighbors(found: Learnt, draws: Draws | None, popular: Tensor) -> pd.DataFrame:
    """The neighbours of every item, by the posterior where there is one."""
    if draws is not None:
        return posterior_similarity(draws, found, popular)
    return similarity_table(found, popular)


def popular_items(con: duckdb.DuckDBPyConnection, found: Learnt) -> Tensor:
    """Which of the items have as many ratings as publish_info.popular_from, (n,)."""
    rows = con.execute(
        "SELECT item_id FROM movies GROUP BY item_id "
        "HAVING sum(n_ratings) >= (SELECT popular_from FROM publish_info)"
    ).fetchnumpy()
    return torch.from_numpy(np.isin(found.ids, rows["item_id"]))


def ratings_by_item(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """`item_id, n_ratings, mean_rating`, most rated first."""
    return con.execute(
        "SELECT item_id, sum(n)::BIGINT AS n_ratings, sum(stars) / sum(n) AS mean_rating "
        "FROM (SELECT movie_id, count(*) AS n, sum(rating) AS stars FROM ratings GROUP BY ALL) "
        "JOIN movies USING (movie_id) GROUP BY item_id ORDER BY n_ratings DESC, item_id"
    ).df()


def ratings_by_user(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """`user_id, n_ratings`."""
    return con.execute("SELECT user_id, count(*) AS n_ratings FROM ratings GROUP BY ALL").df()


def factor_table(found: Learnt, id_name: str, run_id: str) -> pa.Table:
    """`run_id`, the id, and the row of factors as a list."""
    n, size = found.factors.shape
    flat = pa.array(found.factors.reshape(-1))
    return pa.table(
        {
            "run_id": pa.repeat(run_id, n),
            id_name: found.ids,
            "factors": pa.FixedSizeListArray.from_arrays(flat, size),
        }
    )
