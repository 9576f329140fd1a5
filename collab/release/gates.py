"""Gates: what must hold in the tables before they are published."""

from collections.abc import Collection
from typing import Any

import duckdb

from collab.base.checks import Check, describe, run_check
from collab.base.errors import CollabError

NOT_EMPTY = (
    "runs", "metrics", "movies", "users", "ratings", "movie_bias", "user_bias",
    "movie_similarity", "movie_pca", "movie_factors", "user_factors", "predictions",
    "check_results", "example_queries", "standings", "pca_components", "run_bias", "run_pca",
    "run_components",
)  # fmt: skip
KEYS = {
    "runs": "run_id",
    "metrics": "run_id, epoch, split, metric",
    "movies": "movie_id",
    "users": "user_id",
    "ratings": "user_id, movie_id",
    "movie_bias": "item_id",
    "bias_history": "as_of, item_id",
    "user_bias": "user_id",
    "movie_similarity": "item_id, neighbor_id",
    "movie_pca": "item_id",
    "pca_components": "component",
    "movie_factors": "item_id",
    "cold_movies": "item_id",
    "user_factors": "user_id",
    "run_bias": "run_id, item_id",
    "run_factors": "run_id, item_id",
    "run_pca": "run_id, item_id",
    "run_components": "run_id, component",
    "recommendations": "user_id, item_id",
    "class_reliability": "run_id, rating, bin",
    "newcomer": "run_id",
    "starter_movies": "item_id",
    "check_results": "name",
    "standings": "run_id",
}
KNOWN = {
    "movie_bias.item_id": "movies.item_id",
    "bias_history.item_id": "movies.item_id",
    "movie_similarity.item_id": "movies.item_id",
    "movie_similarity.neighbor_id": "movies.item_id",
    "movie_pca.item_id": "movies.item_id",
    "movie_factors.item_id": "movies.item_id",
    "cold_movies.item_id": "movies.item_id",
    "recommendations.item_id": "movies.item_id",
    "recommendations.user_id": "users.user_id",
    "starter_movies.item_id": "movies.item_id",
    "user_bias.user_id": "users.user_id",
    "user_factors.user_id": "users.user_id",
    "predictions.movie_id": "movies.movie_id",
    "predictions.user_id": "users.user_id",
    "predictions.run_id": "runs.run_id",
    "metrics.run_id": "runs.run_id",
    "class_reliability.run_id": "runs.run_id",
    "movie_bias.run_id": "runs.run_id",
    "standings.run_id": "runs.run_id",
    "run_bias.run_id": "runs.run_id",
    "run_bias.item_id": "movies.item_id",
    "run_factors.item_id": "movies.item_id",
    "run_pca.item_id": "movies.item_id",
}
FINITE = {
    "runs": ("valid_mse", "valid_rmse", "valid_mae"),
    "metrics": ("value",),
    "movie_bias": ("bias", "mean_rating"),
    "bias_history": ("bias",),
    "user_bias": ("bias",),
    "movie_similarity": ("similarity", "cosine"),
    "movie_pca": ("pc1", "pc2", "pc3"),
    "run_bias": ("bias",),
    "run_pca": ("pc1", "pc2", "pc3"),
    "predictions": ("prediction",),
    "class_reliability": ("probability", "observed"),
    "recommendations": ("prediction",),
    "cold_movies": ("bias", "sd", "list_sum(factors)"),
    "newcomer": ("noise", "ridge", "list_sum(prior_mean)", "list_sum(flatten(prior_covariance))"),
    "starter_movies": ("variance_left",),
    "standings": ("judged_mse", "mean_mse", "behind"),
}
RANKED = (
    ("movie_bias", "rank", "true", "bias"),
    ("user_bias", "rank", "true", "bias"),
    ("run_bias", "rank", "run_id", "bias"),
    ("movie_similarity", "rank", "item_id", "similarity"),
    ("movie_similarity", "rank_popular", "item_id", "similarity"),
    ("recommendations", "rank", "user_id", "prediction"),
    ("starter_movies", "rank", "true", "variance_left"),
)

# gates and the check of ingest that looked for the same
PROVEN_BY = {
    "movies_unique": "movie_id_unique",
    "users_unique": "user_id_unique",
    "ratings_unique": "user_movie_unique",
}


def gates() -> list[Check]:
    """All gates as checks: queries over the published tables whose rows are failures."""
    queries: dict[str, str] = {}
    for table in NOT_EMPTY:
        queries[f"{table}_not_empty"] = f"SELECT 0 AS n WHERE NOT EXISTS (FROM {table})"
    for table, key in KEYS.items():
        queries[f"{table}_unique"] = (
            f"SELECT {key}, count(*) AS n FROM {table} GROUP BY ALL HAVING count(*) > 1"
        )
    # a bit for each position: a tenth of the time and memory of grouping by them
    queries["predictions_unique"] = """
        SELECT run_id, count(*) AS n, bit_count(bitstring_agg(position)) AS positions
        FROM predictions GROUP BY run_id HAVING n <> positions"""
    for place, target in KNOWN.items():
        table, column = place.split(".")
        other, key = target.split(".")
        queries[f"{table}_{column}_known"] = (
            f"SELECT {column} FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {other})"
        )
    for table, columns in FINITE.items():
        bad = " OR ".join(f"NOT isfinite({column})" for column in columns)
        queries[f"{table}_finite"] = f"SELECT {', '.join(columns)} FROM {table} WHERE {bad}"
    for table, rank, group, value in RANKED:
        queries[f"{table}_{rank}s"] = f"""
            SELECT {rank}, expected FROM (
                SELECT {rank}, row_number() OVER (
                    PARTITION BY {group} ORDER BY {value} DESC, {rank}) AS expected
                FROM {table} WHERE {rank} IS NOT NULL)
            WHERE {rank} <> expected"""
    queries["popular_neighbors"] = """
        SELECT neighbor_id, n_ratings FROM movie_similarity, publish_info, movie_bias AS b
        WHERE b.item_id = neighbor_id AND rank_popular IS NOT NULL AND n_ratings < popular_from"""
    queries["no_self_neighbor"] = "SELECT item_id FROM movie_similarity WHERE item_id = neighbor_id"
    queries["cosine_in_range"] = (
        "SELECT item_id, neighbor_id, cosine, similarity FROM movie_similarity "
        "WHERE abs(cosine) > 1 OR abs(similarity) > 1"
    )
    queries["recommendations_unseen"] = """
        SELECT user_id, item_id FROM recommendations SEMI JOIN (
            SELECT user_id, item_id FROM ratings JOIN movies USING (movie_id)
        ) USING (user_id, item_id)"""
    queries["cold_or_rated"] = """
        SELECT item_id, n FROM (SELECT DISTINCT item_id FROM movies) LEFT JOIN (
            SELECT item_id, count(*) AS n FROM (
                SELECT item_id FROM movie_factors UNION ALL SELECT item_id FROM cold_movies)
            GROUP BY item_id) USING (item_id)
        WHERE n IS DISTINCT FROM 1"""
    queries["one_champion"] = (
        "SELECT count(*) AS n FROM runs WHERE is_champion AND is_current HAVING count(*) <> 1"
    )
    queries["one_release"] = "SELECT count(*) AS n FROM runs WHERE is_release HAVING count(*) <> 1"
    queries["measured"] = "SELECT run_id FROM runs WHERE is_current AND valid_mse IS NULL"
    return [Check(name=name, severity="error", sql=sql) for name, sql in queries.items()]


def proven(checks: list[dict[str, Any]]) -> set[str]:
    """The gates that hold because the checks of ingest, one record each, passed.

    The published rows are those of the lake, or some of them: that is compared when the Parquet
    files are.
    """
    passed = {check["name"] for check in checks if check["passed"]}
    return {gate for gate, check in PROVEN_BY.items() if check in passed}


def refuse_bad_tables(con: duckdb.DuckDBPyConnection, known: Collection[str] = ()) -> None:
    """Run every gate but those that are known to hold.

    Raises:
        CollabError: names each gate that failed with its first failing row.
    """
    results = [run_check(con, gate) for gate in gates() if gate.name not in known]
    failed = [result for result in results if not result.passed]
    if failed:
        lines = "".join(f"\n  - {describe(result)}" for result in failed)
        raise CollabError(
            f"The tables were refused; the last publication stands. {len(failed)} of "
            f"{len(results)} gates failed:{lines}"
        )
