"""The macros, by hand and against the model itself."""

import duckdb
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from collab.estimators.sgd.recipe import Recipe
from collab.runs.run import Run
from tests.release.planted import N_MOVIES, N_USERS, TITLES, Published, ask, rated


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("'alien'", [1, 2]),
        ("'ALIENS'", [2]),
        ("'amelie'", [3]),
        ("'Amélie of'", [3]),
        ("'silence of the lambs'", [4]),
        ("'The Silence of the Lambs'", [4]),
        ("'lambs'", [4]),
        ("'les miserables'", [7]),
        ("'miserables, les'", [7]),
        ("'e.t.'", [6]),
        ("'war of the worlds'", [8, 9]),
        ("'war of the worlds 2005'", [9]),
        ("'2001'", [3, 5]),  # a year, and the beginning of a title
        ("4", [4]),
        ("'4'", [4]),
        ("2001", []),  # a number is an id
        ("'ien'", []),  # words are found by their beginning
        ("''", []),
        ("'...'", []),
        ("NULL", []),
        ("'%'", []),
        ("'l''amelie'", []),
    ],
)
def test_find_movie(con: duckdb.DuckDBPyConnection, q: str, expected: list[int]) -> None:
    found = ask(con, f"SELECT movie_id, title FROM find_movie({q})")
    assert sorted(movie for movie, _ in found) == expected
    assert all(title == TITLES[movie] for movie, title in found)


def test_find_movie_counts_ratings_and_takes_parameters(con: duckdb.DuckDBPyConnection) -> None:
    ((n,),) = con.execute("SELECT n_ratings FROM find_movie(?)", ["aliens"]).fetchall()
    assert n == sum(rated(user, 2) for user in range(1, N_USERS + 1))


def test_similar_movies_answers_for_every_movie_that_fits(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(con, "SELECT item_id, rank, neighbor_id FROM similar_movies('war of the', k := 3)")
    assert [(item, rank) for item, rank, _ in found] == [(i, r) for i in (8, 9) for r in (1, 2, 3)]
    expected = ask(
        con,
        "SELECT neighbor_id FROM movie_similarity WHERE item_id = 9 AND rank <= 3 ORDER BY rank",
    )
    assert [(neighbor,) for item, _, neighbor in found if item == 9] == expected
    assert len(ask(con, "FROM similar_movies(9)")) == 10
    assert len(ask(con, "FROM similar_movies(9, k := 99)")) == 20


def champion_scores(run: Run) -> dict[tuple[int, int], float]:
    """What the champion's own forward pass predicts, by user and item."""
    words = pd.read_parquet(run.folder / "vocabulary.parquet")
    at = {entity: part.set_index("id")["idx"] for entity, part in words.groupby("entity")}
    weights = load_file(run.folder / "model.safetensors")
    model = Recipe.from_json(run.record["recipe"]).build(
        len(at["user"]) + 1, len(at["item"]) + 1, torch.Generator()
    )
    model.load_state_dict(weights)
    pairs = [(user, item) for user in at["user"].index for item in at["item"].index]
    users = torch.tensor([int(at["user"][user]) for user, _ in pairs])
    items = torch.tensor([int(at["item"][item]) for _, item in pairs])
    with torch.inference_mode():
        scores = model(users, items).tolist()
    return dict(zip(pairs, scores, strict=True))


def test_recommendations_are_the_best_unseen_by_the_model_itself(
    con: duckdb.DuckDBPyConnection, published: Published
) -> None:
    scores = champion_scores(published.runs[0])
    for user in range(1, N_USERS + 1):
        unseen = [m for m in range(1, N_MOVIES + 1) if not rated(user, m)]
        best = sorted((scores[user, m] for m in unseen), reverse=True)[:20]
        for source in (
            f"SELECT item_id, prediction FROM recommendations WHERE user_id = {user} ORDER BY rank",
            f"SELECT item_id, prediction FROM recommend({user}, k := 20) ORDER BY rank",
        ):
            found = ask(con, source)
            assert {item for item, _ in found} <= set(unseen)
            assert [stars for _, stars in found] == pytest.approx(best, abs=1e-4)
            for item, stars in found:
                assert stars == pytest.approx(scores[user, item], abs=1e-4)


def test_recommend_takes_k_and_knows_no_stranger(con: duckdb.DuckDBPyConnection) -> None:
    ranks = ask(con, "SELECT rank FROM recommend('7', k := 3)")
    assert ranks == [(1,), (2,), (3,)]
    assert ask(con, "FROM recommend(999)") == []


def test_compare_runs(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    a, b = published.runs
    for left, right in (
        (a.run_id, b.run_id),
        (a.record["variant"], b.record["variant"]),
    ):
        found = con.execute("FROM compare_runs(?, ?)", [left, right]).fetchall()
        by_name = {measure: values for measure, *values in found}
        difference = b.record["mse"] - a.record["mse"]
        expected = [a.record["mse"], b.record["mse"], pytest.approx(difference)]
        assert by_name["valid_mse"] == expected
        assert by_name["seed"] == [42, 42, 0]
    assert con.execute("FROM compare_runs('nobody', ?)", [b.run_id]).fetchall() == []
