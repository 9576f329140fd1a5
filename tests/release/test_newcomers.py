"""Someone new in SQL, against the estimator's own fold-in and its posterior by hand."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest
import torch

from collab.base.database import open_database
from collab.base.paths import DataDir
from collab.dataset.protocols import Protocol
from collab.estimators.als import Als
from collab.estimators.api import Estimator, Recipe
from collab.estimators.bayes import BayesianMF
from collab.estimators.fold_in import FoldsIn, inputs
from collab.release.interpret import Model, load_model
from collab.release.model_tables import insert_model
from collab.release.tables import SCRIPTS, SQL, insert_data
from tests.cli.served import add
from tests.release.planted import Published, ask, take_in

Con = duckdb.DuckDBPyConnection
RECIPES: dict[str, Estimator] = {
    "als": Als(n_factors=8, sweeps=2, warm_sweeps=0, draws=4),
    "bayesian_mf": BayesianMF(n_factors=3, sweeps=16, burn_in=8, thin=2, columns=12),
}
MANY = tuple((movie, 1.0 + movie % 5) for movie in range(1, 22))
RATED = ((), ((1, 5.0),), ((1, 5.0), (2, 1.0), (9, 4.5)), MANY)


@pytest.fixture(scope="module", params=RECIPES)
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Con, Model]]:
    """The tables of a model that takes in newcomers, and the model."""
    root: Path = tmp_path_factory.mktemp("told")
    planted = Published(data=DataDir(root / "data"), lake=take_in(DataDir(root / "data")), runs=[],
                        confirmations=[])  # fmt: skip
    recipe = Recipe(name=request.param, estimator=RECIPES[request.param])
    model = load_model(planted.train_recipe(recipe, 1, Protocol(name="all")))
    with open_database() as con:
        for script in SCRIPTS:
            con.execute((SQL / script).read_text(encoding="utf-8"))
        insert_data(con, planted.lake, None)
        add(con, "publish_info", mean=model.factors.mean, clip_low=0.5, clip_high=5.0)
        insert_model(con, model)
        yield con, model


def rows_of(model: Model, rated: tuple[tuple[int, float], ...]) -> torch.Tensor:
    """The dense indices of movies."""
    at = {int(item): row for row, item in enumerate(model.items.ids, start=1)}
    return torch.tensor([at[movie] for movie, _ in rated], dtype=torch.long)


def as_sql(rated: tuple[tuple[int, float], ...]) -> list[dict[str, float]]:
    """Ratings as the macros take them."""
    return [{"movie": movie, "stars": stars} for movie, stars in rated]


@pytest.mark.parametrize("rated", RATED, ids=len)
def test_fold_in_is_the_estimators_own(
    told: tuple[Con, Model], rated: tuple[tuple[int, float], ...]
) -> None:
    con, model = told
    assert isinstance(model.fitted, FoldsIn)
    own = model.fitted.fold_in(rows_of(model, rated), torch.tensor([s for _, s in rated]))
    given = {"ratings": as_sql(rated)} if rated else {}
    query = (
        "FROM fold_in($ratings)" if rated else "FROM fold_in([]::STRUCT(movie INT, stars INT)[])"
    )
    ((factors, bias, n),) = con.execute(query, given).fetchall()
    assert n == len(rated)
    assert factors == pytest.approx(own.factors.tolist(), abs=1e-5)
    assert bias == pytest.approx(own.bias, abs=1e-5)


def test_how_sure_it_is_and_why_are_those_of_the_regression(told: tuple[Con, Model]) -> None:
    con, model = told
    assert isinstance(model.fitted, FoldsIn)
    prior, x = model.fitted.prior(), inputs(model.factors).numpy()
    rated, at = MANY, rows_of(model, MANY).numpy()
    precision = x[at].T @ x[at] + prior.penalty(len(at)) * prior.precision.numpy()
    covariance = np.linalg.inv(precision)
    surprise = np.array([stars for _, stars in rated]) - model.factors.mean
    surprise -= model.factors.item_bias.numpy()[at] + x[at] @ prior.mean.numpy()
    ((unsure,),) = ask(con, "SELECT unsure FROM newcomer")
    bias_sd = dict(ask(con, "SELECT item_id, sd FROM movie_bias"))
    found = con.execute("FROM recommend_for($r, k := 5)", {"r": as_sql(rated)}).fetchall()
    assert len(found) == 5
    titles = dict(ask(con, "SELECT movie_id, title FROM movies"))
    for _, _, _, _, prediction, _, item, sd, cautious, because, pull in found:
        mine = x[int(rows_of(model, ((item, 0.0),))[0])]
        variance = prior.noise * (1 + mine @ covariance @ mine) + bias_sd[item] ** 2 + unsure
        assert sd == pytest.approx(variance**0.5, rel=1e-4)
        parts = mine @ covariance @ x[at].T * surprise
        best = int(parts.argmax())
        assert (because, pull) == (titles[rated[best][0]], pytest.approx(parts[best], abs=1e-5))
        assert 0.5 <= cautious <= prediction <= 5.0


def test_none_that_was_rated_is_recommended_and_the_filters_hold(told: tuple[Con, Model]) -> None:
    con, _ = told
    query = """SELECT item_id, genres, release_year FROM recommend_for(
        $r, k := 99, genre := 'Drama', year_from := 1980, year_to := 1999, min_ratings := 10)"""
    found = con.execute(query, {"r": as_sql(((11, 5.0), (13, 4.0)))}).fetchall()
    assert {item for item, *_ in found} == {4 + m for m in range(7, 26, 2)} - {11, 13} | {7}
    assert all("Drama" in genres and 1980 <= year <= 1999 for _, genres, year in found)


def test_titles_are_found_as_find_movie_finds_them(told: tuple[Con, Model]) -> None:
    con, _ = told
    by_title = ask(con, "FROM fold_in([{'movie': 'silence of the lambs', 'stars': 5}])")
    assert by_title == ask(con, "FROM fold_in([{'movie': 4, 'stars': 5}])")
    unknown = ask(con, "SELECT n_ratings FROM fold_in([{'movie': 'nosuch', 'stars': 5}])")
    assert unknown == [(0,)], "what is not known tells nothing"


def test_a_member_keeps_the_row_that_training_found(told: tuple[Con, Model]) -> None:
    con, model = told
    found = ask(con, "SELECT item_id, prediction, rating, low, high FROM predict(7, 'alien')")
    assert [item for item, *_ in found] == [1, 2]
    given = dict(ask(con, "SELECT movie_id, rating FROM ratings WHERE user_id = 7"))
    users = {int(user): row for row, user in enumerate(model.users.ids, start=1)}
    for item, prediction, rating, low, high in found:
        pair = (torch.tensor([users[7]]), rows_of(model, ((item, 0.0),)))
        assert prediction == pytest.approx(float(model.factors.predict(*pair)), abs=1e-4)
        ((given,),) = ask(
            con, f"SELECT any_value(rating) FROM ratings WHERE user_id = 7 AND movie_id = {item}"
        )
        assert rating == given
        assert low <= prediction <= high


def test_what_is_solved_is_solved(told: tuple[Con, Model]) -> None:
    g = np.random.default_rng(0)
    half = g.standard_normal((6, 6))
    matrix, sides = half @ half.T + np.eye(6), g.standard_normal((3, 6))
    given = {"m": matrix.tolist(), "p": np.eye(6).tolist(), "s": sides.tolist()}
    found = told[0].execute("SELECT x FROM solve_all($m, $p, $s) ORDER BY n", given).fetchall()
    expected = np.linalg.solve(matrix, sides.T).T
    assert np.allclose(np.array([x for (x,) in found]), expected, atol=1e-8)


def test_the_published_prior_is_the_models(told: tuple[Con, Model]) -> None:
    con, model = told
    assert isinstance(model.fitted, FoldsIn)
    prior = model.fitted.prior()
    ((mean, precision, covariance, noise),) = ask(
        con, "SELECT prior_mean, prior_precision, prior_covariance, noise FROM newcomer"
    )
    assert mean == pytest.approx(prior.mean.tolist())
    assert np.allclose(np.array(precision), prior.precision.numpy())
    assert np.allclose(np.array(precision) @ np.array(covariance), np.eye(len(mean)), atol=1e-6)
    assert noise == pytest.approx(prior.noise)
    asked = ask(con, "SELECT rank, variance_left FROM starter_movies ORDER BY rank")
    assert [rank for rank, _ in asked] == [*range(1, 31)]
    left = [1.0, *(share for _, share in asked)]
    assert all(after < before for before, after in pairwise(left))
