"""How sure alternating least squares is: draws against numpy, and intervals on planted data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from collab.dataset.rows import Rows
from collab.estimators import als_posterior
from collab.estimators.als import Als, Alternated
from collab.estimators.als_posterior import Posterior, draws_kept, noise_variance
from tests.estimators.support import context, generator, rows_of

N_USERS, N_ITEMS = 24, 20
MANY = 20_000
SMALL = Als(n_factors=2, sweeps=2, ridge=0.7, ridge_share=0.2, draws=MANY)

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Ratings of most pairs; user 5 and item 7 have none, nor has the unknown."""
    pairs = [(u, i) for u in range(1, N_USERS) for i in range(1, N_ITEMS) if u != 5 and i != 7]
    drawn = torch.rand(len(pairs), generator=generator()).tolist()
    chosen = [pair for pair, p in zip(pairs, drawn, strict=True) if p < 0.7]
    stars = torch.randint(1, 6, (len(chosen),), generator=generator(2)).tolist()
    return rows_of([(u, i, s) for (u, i), s in zip(chosen, stars, strict=True)], N_USERS, N_ITEMS)


@pytest.fixture(scope="module")
def fitted(rows: Rows) -> Alternated:
    """A small model with many draws."""
    return fit(SMALL, rows)


def fit(estimator: Als, rows: Rows, seed: int = 1) -> Alternated:
    """The model after the last sweep."""
    *_, last = estimator.fit(rows, context(N_USERS, N_ITEMS, seed))
    return last


def hats_and_inverses(fitted: Alternated, rows: Rows) -> dict[tuple[str, int], tuple[Array, float]]:
    """Of each rated row: the inverse of its ridge system, and the trace of its hat matrix."""
    users, items = (table.double().numpy() for table in fitted.rows())
    found = {}
    for side, mine, other, table in (
        ("users", rows.users, rows.items, items),
        ("items", rows.items, rows.users, users),
    ):
        for row in set(mine.tolist()):
            x = table[other[mine == row].numpy()].copy()
            x[:, -1] = 1
            penalty = 0.7 + 0.2 * len(x) ** SMALL.ridge_power
            inverse = np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1]))
            found[side, row] = inverse, float(np.trace(x.T @ x @ inverse))
    return found


def test_the_noise_counts_degrees_of_freedom(fitted: Alternated, rows: Rows) -> None:
    learnt = sum(trace for _, trace in hats_and_inverses(fitted, rows).values())
    factors, stars = fitted.factors(), rows.ratings.double()
    free = replace(factors, clip=None).predict(rows.users, rows.items).double()
    left = float((free - stars).square().sum())
    assert learnt < len(rows) / 2, "or the next line tests the limit alone"
    assert fitted.posterior.noise == pytest.approx(left / (len(rows) - learnt), rel=1e-4)


def test_at_least_half_of_the_rows_are_free() -> None:
    assert noise_variance(0.5, 100, 20) == pytest.approx(50 / 80)
    assert noise_variance(0.5, 100, 130) == pytest.approx(50 / 50)


def test_draws_have_the_mean_and_covariance_of_the_ridge_regression(
    fitted: Alternated, rows: Rows
) -> None:
    noise = fitted.posterior.noise
    for (side, row), (inverse, _) in hats_and_inverses(fitted, rows).items():
        drawn = getattr(fitted.posterior, side)[:, row].double().numpy()
        expected = noise * inverse
        sd = np.sqrt(np.diag(expected))
        # 5 standard errors: of a mean sd / sqrt(s), of a covariance at most sd sd sqrt(2 / s)
        assert (np.abs(drawn.mean(0)) < 5 * sd / MANY**0.5).all()
        off = np.abs(np.cov(drawn.T) - expected)
        assert (off < 5 * np.outer(sd, sd) * (2 / MANY) ** 0.5).all()


def test_samples_lie_around_the_tables(fitted: Alternated) -> None:
    factors = fitted.factors()
    first = next(fitted.samples())
    gone = fitted.posterior.items[0].float()
    torch.testing.assert_close(first.item_factors - factors.item_factors, gone[:, :-1])
    torch.testing.assert_close(first.item_bias - factors.item_bias, gone[:, -1])
    assert first.mean == factors.mean


def test_who_has_no_ratings_could_be_anybody(fitted: Alternated) -> None:
    users, _ = fitted.rows()
    seen = [user for user in range(N_USERS) if user not in (0, 5)]
    for user in (0, 5):
        drawn = users[user] + fitted.posterior.users[:, user].float()
        apart = torch.cdist(drawn, users[seen])
        assert float(apart.min(1).values.max()) < 1e-2, "each draw is a row that was seen"
        assert set(apart.argmin(1).tolist()) == set(range(len(seen)))


def test_the_spread_is_of_noise_and_score(fitted: Alternated, rows: Rows) -> None:
    # both rows drawn apart: var = p' Cq p + q' Cp q + tr(Cp Cq), p and q with 1 for the bias
    inverses, noise = hats_and_inverses(fitted, rows), fitted.posterior.noise
    users, items = (table.double().numpy() for table in fitted.rows())
    pairs = [(1, 1), (2, 3), (11, 8)]
    asked = rows_of([(u, i, 3.0) for u, i in pairs], N_USERS, N_ITEMS)
    expected = []
    for user, item in zip(asked.users.tolist(), asked.items.tolist(), strict=True):
        of_user, of_item = (noise * inverses[key][0] for key in (("users", user), ("items", item)))
        p, q = np.append(users[user, :-1], 1), np.append(items[item, :-1], 1)
        both = np.trace(of_user[:-1, :-1] @ of_item[:-1, :-1])
        expected.append((noise + p @ of_item @ p + q @ of_user @ q + both) ** 0.5)
    assert fitted.spread(asked).tolist() == pytest.approx(expected, rel=0.03)


def test_the_same_seed_draws_the_same(rows: Rows) -> None:
    small = replace(SMALL, draws=3)
    one, again, other = (fit(small, rows, seed).posterior for seed in (1, 1, 2))
    assert torch.equal(one.users, again.users)
    assert torch.equal(one.items, again.items)
    assert not torch.equal(one.users, other.users)


def test_draws_are_saved_with_the_model(rows: Rows, tmp_path: Path) -> None:
    fitted = fit(replace(SMALL, draws=3), rows)
    fitted.save(tmp_path)
    loaded = fitted.by.load(tmp_path)
    assert torch.equal(loaded.spread(rows), fitted.spread(rows))
    for one, other in zip(loaded.samples(), fitted.samples(), strict=True):
        assert torch.equal(one.user_factors, other.user_factors)
        assert torch.equal(one.item_bias, other.item_bias)
    tables = 4 * sum(table.numel() for table in fitted.rows())
    assert (tmp_path / "model.safetensors").stat().st_size < tables * 3 + 1024


def test_large_tables_keep_fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    assert draws_kept(32, 8_000_000) == 32
    monkeypatch.setattr(als_posterior, "NUMBERS_KEPT", 100)
    assert [draws_kept(32, n) for n in (3, 10, 1000)] == [32, 10, 2]


def test_draws_are_as_many_as_asked(rows: Rows) -> None:
    assert len(list(fit(replace(SMALL, draws=5), rows).samples())) == 5


def test_intervals_cover_what_they_say() -> None:
    # 300 users and 60 items of two planted factors and biases, and noise of sd 0.6
    g, n_users, n_items = generator(3), 301, 61
    p, q = torch.randn(n_users, 2, generator=g) * 0.6, torch.randn(n_items, 2, generator=g) * 0.6
    b, c = torch.randn(n_users, generator=g) * 0.4, torch.randn(n_items, generator=g) * 0.4
    truth = 3 + p @ q.mT + b[:, None] + c
    stars = truth + 0.6 * torch.randn(n_users, n_items, generator=g)
    told = torch.rand(n_users, n_items, generator=g) < 0.5
    told[0] = told[:, 0] = False
    held = ~told
    held[0] = held[:, 0] = False
    train, valid = (
        rows_of([(u, i, float(stars[u, i])) for u, i in chosen.nonzero().tolist()], 301, 61)
        for chosen in (told, held)
    )
    where = replace(context(n_users, n_items), scale=(-9.0, 15.0))
    estimator = Als(n_factors=2, sweeps=10, ridge=1.0, ridge_share=0.0)
    *_, fitted = estimator.fit(train, where)
    assert fitted.posterior.noise == pytest.approx(0.36, rel=0.05)
    away = (fitted.predict(valid) - valid.ratings).abs() / fitted.spread(valid)
    for level, width in ((0.5, 0.674), (0.8, 1.282), (0.9, 1.645), (0.95, 1.960)):
        assert float((away < width).double().mean()) == pytest.approx(level, abs=0.02)


def test_no_pairs_have_no_variance() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    posterior = Posterior(users=torch.zeros(2, 1, 2), items=torch.zeros(2, 1, 2), noise=1.0)
    rows = torch.zeros(1, 2), torch.zeros(1, 2)
    assert posterior.variance(rows, (nothing, nothing)).shape == (0,)
