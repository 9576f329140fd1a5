"""What is in the published file: comments on everything, views and macros that answer."""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from safetensors.torch import load_file

import collab
from tests.release.planted import Published, ask, rows

CONSTRUCTS = {
    "table": ("duckdb_tables()", "table_name", "NOT internal"),
    "view": ("duckdb_views()", "view_name", "NOT internal"),
    "macro": ("duckdb_functions()", "function_name", "NOT internal"),
    "column": ("duckdb_columns()", "table_name || '.' || column_name", "NOT internal"),
}
VIEWS = {
    "leaderboard",
    "run_ranking",
    "latest_run",
    "metric_history",
    "movie_bias_named",
    "genre_bias",
    "movie_neighbors",
    "worst_predictions",
    "interval_coverage",
}
EMPTY = {"interval_coverage"}  # the planted champion does not say how sure it is


@pytest.mark.parametrize("kind", CONSTRUCTS)
def test_everything_has_a_comment(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    source, name, condition = CONSTRUCTS[kind]
    found = ask(con, f"SELECT {name}, comment FROM {source} WHERE {condition}")
    assert len(found) >= 5
    assert [name for name, comment in found if not comment] == []


def test_every_view_answers(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        name for (name,) in ask(con, "SELECT view_name FROM duckdb_views() WHERE NOT internal")
    }
    assert found == VIEWS
    for view in VIEWS:
        assert bool(ask(con, f"FROM {view} LIMIT 1")) == (view not in EMPTY), view


def test_every_example_query_runs(con: duckdb.DuckDBPyConnection) -> None:
    examples = ask(con, "SELECT title, sql FROM example_queries")
    assert len(examples) >= 10
    for title, sql in examples:
        ask(con, sql)
        assert title.endswith("?")


def test_neighbours_share_parity(con: duckdb.DuckDBPyConnection) -> None:
    ((same, n),) = ask(
        con,
        "SELECT count(*) FILTER (item_id % 2 = neighbor_id % 2), count(*) FROM movie_neighbors "
        "WHERE rank <= 5 AND item_id <> 8 AND neighbor_id <> 8",  # movie 8 is liked by all alike
    )
    assert same / n > 0.9


def test_the_factors_are_the_weights(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    weights = load_file(published.release().refit.folder / "model.safetensors")
    for table, name in (("movie_factors", "item"), ("user_factors", "user")):
        found = ask(con, f"SELECT factors FROM {table} ORDER BY {name}_id")
        expected = weights[f"{name}_factors"].numpy()[1:]  # the first is the unknown
        assert np.array_equal(np.array([row for (row,) in found], dtype=np.float32), expected)


def test_which_part_each_run_has(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    champion, other = published.runs
    (confirmation,), refit = published.confirmations, published.release().refit
    columns = "run_id, role, is_current, is_champion, is_release, n_valid, split_name, split_seed"
    found = {row[0]: row[1:] for row in ask(con, f"SELECT {columns} FROM runs")}
    n_valid = len(rows().ratings) // 5
    first, second = ("random 20%, seed 42", 42), ("random 20%, seed 1", 1)
    assert found == {
        champion.run_id: ("leaderboard", True, True, False, n_valid, *first),
        other.run_id: ("leaderboard", True, False, False, n_valid, *first),
        confirmation.run_id: ("confirmation", False, False, False, n_valid, *second),
        refit.run_id: ("release", False, False, True, 0, "all", 42),
    }
    assert ask(con, "SELECT valid_mse, valid_pct, n_train FROM runs WHERE is_release") == [
        (None, 0.0, len(rows().ratings))
    ]
    for table in ("movie_bias", "movie_factors", "user_bias", "user_factors", "recommendations"):
        assert ask(con, f"SELECT DISTINCT run_id FROM {table}") == [(refit.run_id,)]


def test_what_it_was_chosen_on(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    champion, other = published.runs
    errors = [run.record.mse or 0 for run in (champion, *published.confirmations)]
    columns = "champion_variant, champion_run_id, release_run_id, chosen_on, shares_first_place"
    assert ask(con, f"SELECT {columns} FROM publish_info") == [
        (
            "dot_product_bias_wd",
            champion.run_id,
            published.release().refit.run_id,
            ["random 20%, seed 42", "random 20%, seed 1"],
            ["dot_product_bias_wd"],
        )
    ]
    ((mean, spread),) = ask(con, "SELECT expected_mse, expected_sd FROM publish_info")
    assert mean == pytest.approx(sum(errors) / 2)
    assert spread == pytest.approx(abs(errors[0] - errors[1]) / 2**0.5)
    columns = "place, variant, n_splits, mean_mse, sd_mse, differs"
    assert ask(con, f"SELECT {columns} FROM leaderboard") == [
        (1, "dot_product_bias_wd", 2, mean, spread, False),
        (2, "embedding_nn", 1, other.record.mse, None, True),
    ]
    ((first, behind, low, high),) = ask(
        con,
        "SELECT min(behind), max(behind), max(behind_low), max(behind_high) FROM leaderboard",
    )
    assert first == 0
    assert low < behind < high
    assert behind == pytest.approx((other.record.mse or 0) - errors[0])


def test_bias_with_counts_and_means_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    ratings = rows().ratings
    for movie in (1, 8, 30):
        mine = [stars for _, m, stars, _ in ratings if m == movie]
        ((n, mean),) = ask(
            con, f"SELECT n_ratings, mean_rating FROM movie_bias_named WHERE item_id = {movie}"
        )
        assert (n, mean) == (len(mine), pytest.approx(sum(mine) / len(mine)))
    # the one movie that all like alike, whatever their taste
    assert ask(con, "SELECT item_id FROM movie_bias_named LIMIT 1") == [(8,)]


def test_genre_bias_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    bias = dict(ask(con, "SELECT item_id, bias FROM movie_bias"))
    odd = [value for item, value in bias.items() if item % 2]
    found = {row[0]: row[1:] for row in ask(con, "FROM genre_bias")}
    assert set(found) == {"Comedy", "Drama", "War"}
    assert found["Drama"] == found["War"]
    n_items, _, mean_bias, _ = found["Drama"]
    assert (n_items, mean_bias) == (15, pytest.approx(sum(odd) / 15, abs=1e-6))


def test_history_and_the_latest_run(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    every = [*published.runs, *published.confirmations]
    last = max(run.record.started_at for run in every)
    ((started,),) = ask(con, "SELECT strftime(started_at, '%Y-%m-%dT%H:%M:%S') FROM latest_run")
    assert last.startswith(started)
    epochs = ask(con, "SELECT run_id, max(epoch) FROM metric_history GROUP BY ALL ORDER BY 1")
    every.append(published.release().refit)
    assert epochs == sorted((run.run_id, 8) for run in every)


def test_the_worst_predictions_come_first(con: duckdb.DuckDBPyConnection) -> None:
    errors = [abs(error) for (error,) in ask(con, "SELECT error FROM worst_predictions")]
    assert errors == sorted(errors, reverse=True)
    ((largest,),) = ask(
        con,
        "SELECT max(abs(prediction - rating)) FROM predictions JOIN runs USING (run_id) "
        "WHERE is_champion",
    )
    assert errors[0] == pytest.approx(largest)


def test_through_attach(published: Published) -> None:
    path = published.serve / "movielens.duckdb"
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{path}' AS ml (READ_ONLY)")
        for view in VIEWS:
            assert bool(ask(con, f"FROM ml.{view} LIMIT 1")) == (view not in EMPTY), view
        assert ask(con, "SELECT ml.fold('Amélie!')") == [("amelie",)]
        with pytest.raises(duckdb.CatalogException):
            ask(con, "FROM ml.find_movie('alien')")
        con.execute("SET search_path = 'memory.main,ml.main'")
        con.execute("CREATE TABLE mine AS SELECT movie_id FROM find_movie('alien')")
        assert ask(con, "SELECT count(*) FROM mine") == [(2,)]
        con.execute("USE ml")
        assert len(ask(con, "FROM find_movie('alien')")) == 2


def test_a_new_connection_sees_the_new_publication(published: Published, tmp_path: Path) -> None:
    mine = published.copy_to(tmp_path / "data")
    sql = "SELECT published_at FROM publish_info"
    with collab.connect(mine.data.root) as before:
        first = ask(before, sql)
        mine.publish(force=True)
        with collab.connect(mine.data.root) as after:
            assert ask(after, sql) > first
        assert ask(before, sql) == first
