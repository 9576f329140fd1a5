"""Fill the tables that come from the champion's weights: biases, neighbours, factors and so on."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from collab.release.interpret import (
    Factors,
    bias_table,
    load_factors,
    pca_table,
    sigmoid_ends,
)
from collab.release.neighbors import similarity_table
from collab.release.recommend import recommendation_table
from collab.runs.run import Run

PCA_ITEMS = 1000
RECOMMEND_UP_TO = 1_100_000  # ratings in the edition; recommend(user) answers for any


def insert(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame | pa.Table) -> None:
    """Insert a frame's rows; the columns go by name and are cast to the table's types."""
    con.register("frame", frame)
    con.execute(f"INSERT INTO {table} BY NAME FROM frame")
    con.unregister("frame")


def insert_interpretation(con: duckdb.DuckDBPyConnection, champion: Run) -> None:
    """Fill every table of `model.sql`; the tables of the data are filled already."""
    items = load_factors(champion.folder, "item")
    users = load_factors(champion.folder, "user")
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
        ends = sigmoid_ends(champion)
        tables["recommendations"] = recommendation_table(users, items, seen_items(con), ends)
    for name, table in tables.items():
        insert(con, name, table.assign(run_id=champion.run_id))
    insert(con, "movie_factors", factor_table(items, "item_id", champion))
    insert(con, "user_factors", factor_table(users, "user_id", champion))


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


def factor_table(found: Factors, id_name: str, champion: Run) -> pa.Table:
    """`run_id`, the id, and the row of factors as a list."""
    n, size = found.factors.shape
    flat = pa.array(np.ascontiguousarray(found.factors).reshape(-1))
    return pa.table(
        {
            "run_id": pa.repeat(champion.run_id, n),
            id_name: found.ids,
            "factors": pa.FixedSizeListArray.from_arrays(flat, size),
        }
    )
