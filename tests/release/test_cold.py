"""Movies that nobody has rated: their rows against a dense solution, and in SQL."""

from collections.abc import Iterator

import duckdb
import numpy as np
import pytest
import torch
from torch import Tensor

from collab import people
from collab.base.database import open_database
from collab.base.paths import DataDir
from collab.dataset.features import Features
from collab.dataset.protocols import Protocol
from collab.estimators.als import Als
from collab.estimators.api import Recipe
from collab.lake import ingest
from collab.movielens.editions import ML_LATEST_SMALL
from collab.movielens.sources import find_archive
from collab.release.cold import HALF, PENALTIES, design, expected_rows, raters_metric
from collab.release.interpret import load_model
from collab.release.model_tables import insert_model
from collab.release.tables import SCRIPTS, SQL, insert_data
from tests.archives import Planted, write_archive
from tests.cli.served import add
from tests.release.planted import Published, ask, rows

Con = duckdb.DuckDBPyConnection
ONE = torch.eye(3, dtype=torch.float64)
COLD = {31: ("Cold Comedy (1990)", ["Comedy"]), 32: ("Cold War (1991)", ["Drama", "War"]),
        33: ("Nothing Known", [])}  # fmt: skip


def of_genres(*genres: tuple[int, int], years: int = 0) -> Features:
    """Features of items of two genres, all of one year."""
    n = len(genres)
    return Features(
        genres=torch.tensor(genres, dtype=torch.uint8),
        years=torch.full((n,), years, dtype=torch.int16),
    )


class TestRows:
    def test_a_genre_that_tells_all_gives_its_row(self) -> None:
        features = of_genres(*[(1, 0)] * 30, *[(0, 1)] * 10, (1, 0), (0, 1), (0, 0))
        known = torch.tensor([[1.0, 0.0, 0.5]] * 30 + [[0.0, 2.0, -0.5]] * 10)
        counts = torch.tensor([80] * 40 + [0] * 3)
        nonsense = torch.full((3, 3), 99.0)  # of items without ratings: says nothing
        found, sd = expected_rows(torch.cat([known, nonsense]), counts, features, ONE)
        assert found[40].tolist() == pytest.approx([1.0, 0.0, 0.5], abs=1e-3)
        assert found[41].tolist() == pytest.approx([0.0, 2.0, -0.5], abs=1e-3)
        assert found[42].tolist() == pytest.approx([0.75, 0.5, 0.25])  # 3 of 4 are of the one
        assert sd[:42].max() < 1e-2
        # which of the two it is: 3 / 4 times 1 / 4 of the square of (1, -2, 1)
        assert float(sd[42]) == pytest.approx((3 / 16 * 6) ** 0.5, rel=1e-3)

    def test_the_mean_is_by_how_surely_rows_are_known(self) -> None:
        features = of_genres((0, 0), (0, 0), (0, 0), years=0)
        known = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [9.0, 9.0, 9.0]])
        counts = torch.tensor([60, 20, 0])  # known by 3 / 4 and 1 / 2
        found, sd = expected_rows(known, counts, features, ONE)
        assert found[2].tolist() == pytest.approx([0.6, 0.4, 0.0])
        # apart from it by 0.4 and 0.6, each in two columns, and one of two rows is the mean's
        off = 0.75 * 2 * 0.4**2 + 0.5 * 2 * 0.6**2
        assert float(sd[2]) ** 2 == pytest.approx(off / (0.75**2 + 0.5**2) * 2)

    def test_all_is_that_of_the_dense_ridge_regression(self) -> None:
        g = torch.Generator().manual_seed(0)
        n, flags = 60, torch.rand(60, 4, generator=g) < 0.4
        flags[:, 3] |= ~flags.any(1)
        years = torch.randint(1970, 2000, (n,), generator=g).short()
        features = Features(genres=flags.to(torch.uint8), years=years)
        known = torch.randn(n, 3, generator=g) + flags[:, :3]
        counts = torch.randint(1, 90, (n,), generator=g)
        metric = raters_metric(torch.randn(9, 2, generator=g), torch.arange(1, 10))
        found, sd = expected_rows(known, counts, features, metric)
        expected, variance = dense(known.double(), counts, features, metric)
        assert np.allclose(found, expected, atol=1e-8)
        assert np.allclose(sd.square(), variance, atol=1e-8)


def dense(known: Tensor, counts: Tensor, features: Features, metric: Tensor) -> tuple[Tensor, ...]:
    """Rows and variances of the best penalty, from the matrix of the fit itself."""
    v = counts / (counts + HALF)
    v = v.double()
    z, left = torch.cat(design(features, v), 1), known - v @ known / v.sum()
    best = None
    for penalty in PENALTIES:
        inverse = torch.linalg.inv(z.mT @ torch.diag(v) @ z + penalty * torch.eye(len(z.T)))
        fit = z @ inverse @ z.mT @ torch.diag(v)
        off = left - fit @ left
        free = 1 - (1 + fit.trace()) / len(z)
        rest = (v[:, None] * (off @ metric) * off).sum()
        variance = rest / free / v.square().sum()
        told = fit @ left + known - left, variance * (1 + torch.diag(z @ inverse @ z.mT))
        if best is None or rest / free**2 < best[0]:
            best = (rest / free**2, told)
    assert best
    return best[1]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Con]:
    """The tables of a model of the planted ratings and of three movies that have none."""
    data = DataDir(tmp_path_factory.mktemp("cold") / "data")
    data.root.mkdir()
    planted, more = rows(), [(movie, *told) for movie, told in COLD.items()]
    planted = Planted(ratings=planted.ratings, movies=[*planted.movies, *more])
    archive = write_archive(data.root.parent / "cold.zip", ML_LATEST_SMALL, planted)
    lake = ingest(find_archive(ML_LATEST_SMALL, data, archive=archive, trust=True), data)[0]
    of = Published(data=data, lake=lake, runs=[], confirmations=[])
    recipe = Recipe(name="als", estimator=Als(n_factors=8, sweeps=2, warm_sweeps=0, draws=4))
    model = load_model(of.train_recipe(recipe, 1, Protocol(name="all")))
    with open_database() as con:
        for script in SCRIPTS:
            con.execute((SQL / script).read_text(encoding="utf-8"))
        insert_data(con, lake, None)
        add(con, "publish_info", mean=model.factors.mean, clip_low=0.5, clip_high=5.0)
        insert_model(con, model)
        yield con


def test_each_movie_has_a_row_and_those_without_ratings_have_no_other(con: Con) -> None:
    assert {item for (item,) in ask(con, "SELECT item_id FROM cold_movies")} == {*COLD}
    for table in ("movie_bias", "movie_factors", "movie_similarity", "recommendations"):
        assert not ask(con, f"FROM {table} SEMI JOIN cold_movies USING (item_id)")
    assert not ask(con, "FROM recommend(7, k := 99) SEMI JOIN cold_movies USING (item_id)")


def test_who_likes_a_genre_is_expected_to_like_an_unrated_movie_of_it(con: Con) -> None:
    query = "SELECT title, prediction, sd, low, high, n_ratings, rating FROM predict($user, 'cold')"
    for user, (liked, other) in {7: (32, 31), 8: (31, 32)}.items():
        found = {row[0]: row[1:] for row in con.execute(query, {"user": user}).fetchall()}
        assert found[COLD[liked][0]][0] > 4 > 2 > found[COLD[other][0]][0]
        for prediction, _, low, high, n_ratings, rating in found.values():
            assert low <= prediction <= high
            assert (n_ratings, rating) == (0, None)


def test_the_prediction_is_by_the_published_row_and_less_sure(con: Con) -> None:
    ((score,),) = ask(con, """
        SELECT mean + c.bias + u.bias + list_dot_product(c.factors, f.factors)
        FROM cold_movies AS c, user_factors AS f JOIN user_bias AS u USING (user_id), publish_info
        WHERE item_id = 33 AND user_id = 7""")  # fmt: skip
    ((prediction, sd),) = ask(con, "SELECT prediction, sd FROM predict(7, 'nothing known')")
    assert prediction == pytest.approx(score, abs=1e-5)
    ((surest, least),) = ask(
        con,
        "SELECT min(sd), max(sd) FROM expected_of((SELECT p FROM member_of(7) AS p), range(1, 31))",
    )
    assert surest <= least < sd


def test_someone_new_and_python_likewise(con: Con) -> None:
    new = people.predict({2: 5.0, 4: 5.0, 1: 1.0}, "Cold Comedy", con)
    assert new.columns[:2] == ["title", "prediction"]
    ((title, prediction, *_),) = new.fetchall()
    ((war,),) = people.predict({2: 5.0, 4: 5.0, 1: 1.0}, 32, con).select("prediction").fetchall()
    assert title == "Cold Comedy (1990)"
    assert prediction > war


def test_where_all_are_rated_there_is_none(published: Published) -> None:
    with duckdb.connect(published.serve / "movielens.duckdb", read_only=True) as con:
        assert not ask(con, "FROM cold_movies")
