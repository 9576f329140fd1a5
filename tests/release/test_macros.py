"""The macros, by hand and against the model itself."""

import duckdb
import numpy as np
import pytest
import torch

import collab
from collab.dataset.dataset import load_dataset
from collab.dataset.protocols import Protocol
from collab.dataset.rows import Rows
from collab.estimators.als import Als
from collab.estimators.api import HasFactors, Recipe
from collab.release.tables import SCRIPTS, SQL
from collab.runs.record import Run, load_run
from tests.cli.served import add
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


def test_similar_movies_answers_for_every_movie_that_fits_best(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = ask(con, "SELECT item_id, rank, neighbor_id FROM similar_movies('war of the', k := 3)")
    assert [(item, rank) for item, rank, _ in found] == [(i, r) for i in (8, 9) for r in (1, 2, 3)]
    expected = ask(
        con,
        "SELECT neighbor_id FROM movie_similarity WHERE item_id = 9 AND rank_popular <= 3 "
        "ORDER BY rank_popular",
    )
    assert [(neighbor,) for item, _, neighbor in found if item == 9] == expected
    assert len(ask(con, "FROM similar_movies(9)")) == 10
    assert len(ask(con, "FROM similar_movies(9, k := 99)")) == 20
    assert ask(con, "SELECT DISTINCT item_id FROM similar_movies('alien')") == [(1,)]


def test_similar_movies_are_popular_unless_told_otherwise() -> None:
    """Of item 1's neighbours those with even ids are rare, with 40 ratings, the others have 60."""
    with duckdb.connect() as con:
        for script in SCRIPTS:
            con.execute((SQL / script).read_text(encoding="utf-8"))
        add(con, "publish_info", popular_from=50)
        for item in range(1, 42):
            n = 60 if item % 2 else 40
            add(con, "movies", movie_id=item, item_id=item, title=f"m{item}", n_ratings=n)
            add(con, "movie_bias", item_id=item, n_ratings=n)
        for item in range(2, 42):
            ranks = {"rank": item - 1 if item <= 21 else None}
            ranks |= {"rank_popular": item // 2 if item % 2 else None}
            sure = {"similarity": 1 - item / 100, "share": 0.1, "share_popular": 0.2}
            add(con, "movie_similarity", item_id=1, neighbor_id=item, **ranks, **sure)

        def near(options: str) -> list[int]:
            rows = ask(con, f"SELECT neighbor_id FROM similar_movies(1{options}) ORDER BY rank")
            return [neighbor for (neighbor,) in rows]

        assert near("") == list(range(3, 22, 2))
        assert near(", k := 20") == list(range(3, 42, 2)), "20 remain"
        assert near(", k := 20, min_ratings := 0") == list(range(2, 22))
        assert near(", k := 20, min_ratings := 45") == list(range(3, 22, 2)), "of the 20 of all"
        assert near(", min_ratings := 61") == []
        shares = "SELECT DISTINCT round(share, 1) FROM similar_movies(1, min_ratings := {})"
        assert ask(con, shares.format("NULL")) == [(pytest.approx(0.2),)]
        assert ask(con, shares.format(0)) == [(pytest.approx(0.1),)]


def predicted(published: Published, run: Run) -> dict[tuple[int, int], float]:
    """What the release's own model predicts, by user and movie."""
    fitted = run.recipe.estimator.load(run.folder)
    dataset = load_dataset(published.data.datasets / run.record.dataset)
    pairs = [(user, item) for user in dataset.users.ids for item in dataset.items.ids]
    rows = Rows(
        users=torch.from_numpy(dataset.users.encode(np.array([user for user, _ in pairs]))),
        items=torch.from_numpy(dataset.items.encode(np.array([item for _, item in pairs]))),
        ratings=torch.zeros(len(pairs)),
        ts=torch.zeros(len(pairs), dtype=torch.int64),
    )
    stars = fitted.predict(rows)
    if isinstance(fitted, HasFactors):
        tables = fitted.factors()
        torch.testing.assert_close(tables.predict(rows.users, rows.items), stars)
    return dict(zip([(int(u), int(i)) for u, i in pairs], stars.tolist(), strict=True))


@pytest.fixture(scope="module", params=["through a sigmoid", "with a mean and clipped"])
def scored(
    request: pytest.FixtureRequest, published: Published, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """Publications whose scores become stars in every way there is."""
    if request.param == "through a sigmoid":
        return published
    mine = published.copy_to(tmp_path_factory.mktemp("clipped") / "data")
    loose = Recipe(name="als", estimator=Als(n_factors=4, ridge=0.05, ridge_share=0.0))
    mine.publish([mine.train_recipe(loose, 42, Protocol())], max_regression=None)
    return mine


def shown(stars: float) -> float:
    """A prediction cut to the scale of the edition."""
    return min(max(stars, 0.5), 5.0)


def test_recommendations_are_the_best_unseen_by_the_model_itself(scored: Published) -> None:
    with collab.connect(scored.data.root) as con:
        ((run_id,),) = ask(con, "SELECT release_run_id FROM publish_info")
        scores = predicted(scored, load_run(scored.data.runs / run_id))
        for user in range(1, N_USERS + 1, 6):
            unseen = [m for m in range(1, N_MOVIES + 1) if not rated(user, m)]
            best = sorted((shown(scores[user, m]) for m in unseen), reverse=True)[:20]
            for source in (
                f"SELECT item_id, prediction FROM recommendations WHERE user_id = {user} "
                "ORDER BY rank",
                f"SELECT item_id, prediction FROM recommend({user}, k := 20) ORDER BY rank",
            ):
                found = ask(con, source)
                assert {item for item, _ in found} <= set(unseen)
                assert [stars for _, stars in found] == pytest.approx(best, abs=1e-4)
                for item, stars in found:
                    assert stars == pytest.approx(shown(scores[user, item]), abs=1e-4)


def test_how_a_score_becomes_stars_is_published(scored: Published) -> None:
    with collab.connect(scored.data.root) as con:
        ((variant, *found),) = ask(
            con,
            "SELECT champion_variant, y_low, y_high, clip_low, clip_high, mean FROM publish_info",
        )
        ((mean,),) = ask(con, "SELECT avg(rating) FROM ratings")
        low, high = ask(con, "SELECT min(prediction), max(prediction) FROM recommendations")[0]
        ((centre,),) = ask(con, "SELECT sum(bias * n_ratings) / sum(n_ratings) FROM movie_bias")
    assert centre == pytest.approx(0, abs=1e-5)
    moved = found.pop()
    if variant == "als":
        assert found == [None, None, 0.5, 5.0]
        assert moved == pytest.approx(mean, abs=0.5)
        assert 0.5 <= low < high == 5.0, "some are cut off"
    else:
        assert found == [0.0, 5.5, 0.5, 5.0]
        assert 0.5 <= low < high <= 5


def test_recommend_takes_k_and_knows_no_stranger(con: duckdb.DuckDBPyConnection) -> None:
    ranks = ask(con, "SELECT rank FROM recommend('7', k := 3)")
    assert ranks == [(1,), (2,), (3,)]
    assert ask(con, "FROM recommend(999)") == []
