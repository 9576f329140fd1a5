"""Each gate refuses what it is for."""

from collections.abc import Iterator

import duckdb
import pytest

from collab.base.errors import CollabError
from collab.release.gates import refuse_bad_tables
from tests.release.planted import Published

BROKEN = {
    "movie_pca_not_empty": "DELETE FROM movie_pca",
    "example_queries_not_empty": "DELETE FROM example_queries",
    "runs_unique": "INSERT INTO runs FROM runs LIMIT 1",
    "ratings_unique": "INSERT INTO ratings BY NAME SELECT * EXCLUDE rated_at FROM ratings LIMIT 1",
    "recommendations_unique": "INSERT INTO recommendations FROM recommendations LIMIT 1",
    "movie_bias_item_id_known": "UPDATE movie_bias SET item_id = 999 WHERE item_id = 3",
    "movie_similarity_neighbor_id_known": (
        "UPDATE movie_similarity SET neighbor_id = 999 WHERE item_id = 3 AND rank = 1"
    ),
    "predictions_run_id_known": "UPDATE predictions SET run_id = 'nobody'",
    "user_factors_user_id_known": "UPDATE user_factors SET user_id = 999 WHERE user_id = 3",
    "runs_finite": "UPDATE runs SET valid_mse = 'nan'::DOUBLE",
    "predictions_unique": "INSERT INTO predictions FROM predictions LIMIT 1",
    "predictions_finite": "UPDATE predictions SET prediction = 'inf'::FLOAT WHERE position < 9",
    "movie_bias_finite": "UPDATE movie_bias SET bias = 'nan'::FLOAT WHERE item_id = 3",
    "cosine_in_range": ("UPDATE movie_similarity SET cosine = 1.5 WHERE item_id = 3 AND rank = 1"),
    "movie_bias_ranks": "UPDATE movie_bias SET rank = rank + 1",
    "movie_similarity_ranks": "DELETE FROM movie_similarity WHERE rank = 7",
    "recommendations_ranks": "UPDATE recommendations SET rank = 21 - rank",
    "no_self_neighbor": (
        "UPDATE movie_similarity SET neighbor_id = item_id WHERE item_id = 3 AND rank = 1"
    ),
    "recommendations_unseen": (
        "UPDATE recommendations SET item_id = 4 WHERE user_id = 1 AND rank = 1"
    ),
    "one_champion": "UPDATE runs SET is_champion = true",
    "one_release": "UPDATE runs SET is_release = true",
    "cold_or_rated": "DELETE FROM movie_factors WHERE item_id = 3",
    "cold_movies_finite": "INSERT INTO cold_movies VALUES ('r', 3, [1.0], 'nan'::FLOAT, 1.0)",
    "cold_movies_item_id_known": "INSERT INTO cold_movies VALUES ('r', 999, [1.0], 0.0, 1.0)",
    "measured": "UPDATE runs SET valid_mse = NULL WHERE is_champion",
    "run_bias_unique": "INSERT INTO run_bias FROM run_bias LIMIT 1",
    "run_bias_ranks": "UPDATE run_bias SET rank = rank + 1",
    "run_bias_run_id_known": "UPDATE run_bias SET run_id = 'nobody'",
    "run_factors_item_id_known": "UPDATE run_factors SET item_id = 999 WHERE item_id = 3",
    "run_pca_finite": "UPDATE run_pca SET pc3 = 'nan'::FLOAT WHERE item_id = 3",
    "run_components_not_empty": "DELETE FROM run_components",
    "standings_not_empty": "DELETE FROM standings",
    "standings_unique": "INSERT INTO standings FROM standings LIMIT 1",
    "standings_run_id_known": "UPDATE standings SET run_id = 'nobody' WHERE place = 1",
    "standings_finite": "UPDATE standings SET behind = 'nan'::DOUBLE WHERE place = 2",
}


@pytest.fixture
def con(published: Published) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables in memory, to be broken."""
    with duckdb.connect() as con:
        path = published.serve / "movielens.duckdb"
        con.execute(f"ATTACH '{path}' AS served (READ_ONLY)")
        con.execute("COPY FROM DATABASE served TO memory")
        yield con


def test_sound_tables_pass(con: duckdb.DuckDBPyConnection) -> None:
    refuse_bad_tables(con)


@pytest.mark.parametrize("gate", BROKEN)
def test_broken_tables_are_refused(con: duckdb.DuckDBPyConnection, gate: str) -> None:
    con.execute(BROKEN[gate])
    with pytest.raises(CollabError, match=f"last publication stands.*\n(.*\n)*  - {gate}: "):
        refuse_bad_tables(con)
