"""Fill the tables that say what the release learnt: biases, neighbours, factors and so on."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from collab.base.database import insert
from collab.release.interpret import Learnt, Model, bias_table, pca_table
from collab.release.neighbors import similarity_table
from collab.release.recommend import recommendation_table

PCA_ITEMS = 1000
RECOMMEND_UP_TO = 1_100_000  # ratings in the edition; recommend(user) answers for any


def insert_model(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Fill every table of `model.sql`; the tables of the data are filled already."""
    items, users, run_id = model.items, model.users, model.run.run_id
    by_item, by_user = ratings_by_item(con), ratings_by_user(con)
    chosen = by_item["item_id"][by_item["item_id"].isin(items.ids)][:PCA_ITEMS].to_numpy(np.int32)
    counts = by_item.drop(columns="mean_rating")
    tables = {
        "movie_bias": bias_table(items, "item_id").merge(by_item, on="item_id"),
        "user_bias": bias_table(users, "user_id").merge(by_user, on="user_id"),
        "movie_similarity": similarity_table(items),
        "movie_pca": pca_table(items, chosen).merge(counts, on="item_id"),
    }
    if by_user["n_ratings"].sum() <= RECOMMEND_UP_TO:
        tables["recommendations"] = recommendation_table(model, seen_items(con))
    for name, table in tables.items():
        insert(con, name, table.assign(run_id=run_id))
    insert(con, "movie_factors", factor_table(items, "item_id", run_id))
    insert(con, "user_factors", factor_table(users, "user_id", run_id))


def ratings_by_item(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """`item_id, n_ratings, mean_rating`, most rated first."""
    return con.execute(
        "SELECT item_id, count(*) AS n_ratings, avg(rating) AS mean_rating "
        "FROM ratings JOIN movies USING (movie_id) "
        "GROUP BY item_id ORDER BY n_ratings DESC, item_id"
    ).df()


def ratings_by_user(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """`user_id, n_ratings`."""
    return con.execute("SELECT user_id, count(*) AS n_ratings FROM ratings GROUP BY ALL").df()


def seen_items(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """`user_id, item_id` of every rating."""
    return con.execute("SELECT user_id, item_id FROM ratings JOIN movies USING (movie_id)").df()


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
