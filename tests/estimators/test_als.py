"""Alternating least squares against numpy, and what it must find in planted data."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.dataset.dataset import Dataset
from collab.dataset.rows import Rows
from collab.estimators import als_side
from collab.estimators.als import Als, Alternated
from collab.estimators.als_side import Side, inputs_of
from collab.estimators.api import Context
from collab.runs.errors import measure
from tests.estimators.support import CPU, context, generator, rows_of

N_USERS, N_ITEMS = 12, 9
SMALL = Als(n_factors=3, sweeps=1, ridge=0.7, ridge_share=0.2, ridge_power=1.5)

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Ratings of about half of the pairs; user 5 and item 7 have none, nor has the unknown."""
    pairs = [(u, i) for u in range(1, N_USERS) for i in range(1, N_ITEMS) if u != 5 and i != 7]
    drawn = torch.rand(len(pairs), generator=generator()).tolist()
    chosen = [pair for pair, p in zip(pairs, drawn, strict=True) if p < 0.5]
    stars = torch.randint(1, 6, (len(chosen),), generator=generator(2)).tolist()
    return rows_of([(u, i, s) for (u, i), s in zip(chosen, stars, strict=True)], N_USERS, N_ITEMS)


def models(estimator: Als, train: Rows, where: Context) -> list[dict[str, Tensor]]:
    """A copy of the tables after every sweep."""
    fits = estimator.fit(train, where)
    return [{name: table.clone() for name, table in fit.tables.items()} for fit in fits]


def ridge_row(others: Array, stars: Array, mean: float, estimator: Als) -> Array:
    """The row that minimises the penalised error, given the other side's rows (factors, bias)."""
    x = np.hstack([others[:, :-1], np.ones((len(others), 1))])
    y = stars - mean - others[:, -1]
    penalty = estimator.ridge + estimator.ridge_share * len(stars) ** estimator.ridge_power
    return np.asarray(np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y), np.float64)


def test_rows_are_ridge_regressions(rows: Rows) -> None:
    where = context(N_USERS, N_ITEMS)
    (tables,) = models(SMALL, rows, where)
    mean = float(rows.ratings.double().mean())
    users, items, stars = rows.users.numpy(), rows.items.numpy(), rows.ratings.double().numpy()
    start = SMALL.first_items(where).double().numpy()
    for user in set(users.tolist()):
        at = users == user
        expected = ridge_row(start[items[at]], stars[at], mean, SMALL)
        np.testing.assert_allclose(tables["users"][user].numpy(), expected, atol=1e-4)
    solved = tables["users"].double().numpy()
    for item in set(items.tolist()):
        at = items == item
        expected = ridge_row(solved[users[at]], stars[at], mean, SMALL)
        np.testing.assert_allclose(tables["items"][item].numpy(), expected, atol=1e-4)


def test_the_loss_is_that_of_the_last_half_sweep(rows: Rows) -> None:
    (fitted,) = SMALL.fit(rows, context(N_USERS, N_ITEMS))
    unclipped = score(fitted.tables, rows)
    expected = float((unclipped - rows.ratings.double()).square().mean())
    assert fitted.train_loss == pytest.approx(expected, rel=1e-4)


def score(tables: dict[str, Tensor], rows: Rows) -> Tensor:
    """Predictions that are not clipped, float64."""
    users, items = (tables[side].double() for side in ("users", "items"))
    user, item = users[rows.users.long()], items[rows.items.long()]
    products = (user[:, :-1] * item[:, :-1]).sum(1)
    return products + user[:, -1] + item[:, -1] + tables["mean"].double()


def objective(tables: dict[str, Tensor], rows: Rows, estimator: Als) -> float:
    """What a sweep makes smaller: squared errors and the penalty of every row."""
    errors = (score(tables, rows) - rows.ratings.double()).square().sum()
    penalties = 0.0
    for side, indices in (("users", rows.users), ("items", rows.items)):
        table = tables[side].double()
        counts = torch.bincount(indices, minlength=len(table))
        weights = estimator.ridge + estimator.ridge_share * counts**estimator.ridge_power
        penalties += float((weights * table.square().sum(1))[counts > 0].sum())
    return float(errors) + penalties


def test_every_sweep_lowers_the_objective(planted_dataset: Dataset) -> None:
    estimator, train = Als(n_factors=4, sweeps=6), planted_dataset.train()
    found = models(estimator, train, Context.of(planted_dataset, 1, CPU))
    values = [objective(tables, train, estimator) for tables in found]
    assert all(after < before * (1 + 1e-6) for before, after in pairwise(values))
    assert values[-1] < values[0]


def test_it_finds_the_checker_board(planted_dataset: Dataset) -> None:
    *_, fitted = Als(n_factors=4, ridge=0.1, ridge_share=0.1, ridge_power=1.0).fit(
        planted_dataset.train(), Context.of(planted_dataset, 1, CPU)
    )
    valid = planted_dataset.valid()
    predicted = fitted.predict(valid)
    errors = measure(predicted, valid.ratings)
    assert errors
    assert errors.mse < 0.1
    loved = valid.ratings == 5
    assert float(predicted[loved].min()) > float(predicted[~loved].max())


def test_who_has_no_ratings_stays_zero_and_is_of_the_mean(rows: Rows) -> None:
    (fitted,) = SMALL.fit(rows, context(N_USERS, N_ITEMS))
    for side, unrated in (("users", [0, 5]), ("items", [0, 7])):
        assert not fitted.tables[side][unrated].any()
    nobody = rows_of([(0, 0, 1.0), (5, 7, 1.0)], N_USERS, N_ITEMS)
    assert fitted.predict(nobody).tolist() == pytest.approx([float(rows.ratings.mean())] * 2)
    known = rows_of([(1, 0, 1.0)], N_USERS, N_ITEMS)
    bias = float(fitted.tables["users"][1, -1])
    assert fitted.predict(known).item() == pytest.approx(float(rows.ratings.mean()) + bias)


def test_predictions_stay_on_the_scale() -> None:
    # with hardly a penalty user 1, who loves what everyone hates, is far above the scale elsewhere
    ratings = [(1, 1, 5.0), (2, 1, 1.0), (3, 1, 1.0), (2, 2, 5.0), (3, 2, 5.0), (2, 3, 4.0)]
    train = rows_of(ratings, 4, 4)
    (fitted,) = Als(n_factors=1, sweeps=1, ridge=1e-3).fit(train, context(4, 4))
    pairs = rows_of([(u, i, 3.0) for u in range(4) for i in range(4)], 4, 4)
    free, predicted = score(fitted.tables, pairs), fitted.predict(pairs)
    assert float(free.max()) > 5.1
    assert predicted.tolist() == pytest.approx(free.clamp(1, 5).tolist(), abs=1e-4)


def after_half_a_sweep(fitted: Alternated, rows: Rows) -> Tensor:
    """The users' rows given the final items."""
    assert rows.by_user
    users = torch.zeros_like(fitted.tables["users"])
    items = inputs_of(fitted.tables["items"], float(fitted.tables["mean"]))
    fitted.by.solve(Side(rows.by_user, rows.items, rows.ratings), items, users)
    return users


def test_folding_in_a_training_user_gives_that_users_row(rows: Rows) -> None:
    (fitted,) = SMALL.fit(rows, context(N_USERS, N_ITEMS))
    users = after_half_a_sweep(fitted, rows)
    for user in set(rows.users.tolist()):
        theirs = rows.users == user
        folded = fitted.fold_in(rows.items[theirs], rows.ratings[theirs])
        torch.testing.assert_close(folded.factors, users[user, :-1], rtol=0, atol=1e-5)
        assert folded.bias == pytest.approx(float(users[user, -1]), abs=1e-5)


def test_batches_of_any_size_give_the_same(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    where = context(N_USERS, N_ITEMS)
    (at_once,) = models(SMALL, rows, where)
    monkeypatch.setattr(als_side, "NUMBERS_AT_ONCE", {"cpu": 1})  # one rating at a time
    (one_by_one,) = models(SMALL, rows, where)
    for name in ("users", "items"):
        torch.testing.assert_close(at_once[name], one_by_one[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "changed",
    [
        replace(SMALL, n_factors=4),
        replace(SMALL, sweeps=2),
        replace(SMALL, ridge=0.8),
        replace(SMALL, ridge_share=0.3),
        replace(SMALL, ridge_power=0.5),
    ],
    ids=str,
)
def test_every_setting_changes_the_result(changed: Als, rows: Rows) -> None:
    where = context(N_USERS, N_ITEMS)
    base, other = (list(e.fit(rows, where))[-1].predict(rows) for e in (SMALL, changed))
    assert not torch.equal(base, other)


def test_ratings_that_are_fitted_wholly_leave_no_negative_noise() -> None:
    """What is left of each rating is zero but for rounding, which may fall on either side."""
    pairs = [(u, i) for u in range(1, N_USERS) for i in range(1, N_ITEMS)]
    rows = rows_of([(u, i, 1 + (u * i) % 5) for u, i in pairs], N_USERS, N_ITEMS)
    loose = Als(n_factors=14, sweeps=8, ridge=1e-2, ridge_share=0.0)
    *_, fitted = loose.fit(rows, context(N_USERS, N_ITEMS))
    assert fitted.train_loss >= 0
    assert fitted.posterior.noise >= 0
    assert bool(fitted.spread(rows).isfinite().all())
