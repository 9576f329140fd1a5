"""One side's conditionals against closed forms in float64."""

import numpy as np
import pytest
import torch

from collab.dataset.rows import grouped
from collab.estimators.bayes import entity as module
from collab.estimators.bayes.basis import Basis
from collab.estimators.bayes.entity import Entity
from tests.estimators.bayes.planted import generator, planted

WIDTH, DRAWS = 3, 3000


def users_of(bases: list[Basis] | None = None) -> tuple[Entity, torch.Tensor]:
    """An entity of 12 users, and rows (10, 3) of the items."""
    train = grouped(planted(12, 10), 12, 10)
    assert train.by_user is not None
    made = Entity(train.by_user.starts, train.items, bases or [], WIDTH)
    made.mu = torch.tensor([0.3, -0.2, 0.1])
    made.precision = torch.tensor([[2.0, 0.3, 0.0], [0.3, 1.5, -0.2], [0.0, -0.2, 3.0]])
    return made, torch.randn(10, WIDTH, generator=generator(5))


def test_a_row_is_drawn_from_its_conditional() -> None:
    """Mean and covariance of one user's draws against the normal equations in float64."""
    made, x = users_of()
    n, g = len(made.others), generator(1)
    weight, target = 0.5 + torch.rand(n, generator=g), torch.randn(n, generator=g)
    draws = []
    for _ in range(DRAWS):
        made.draw_rows(x, weight, target, g)
        draws.append(made.rows[4].double().numpy())
    own = slice(int(made.starts[4]), int(made.starts[5]))
    design, w = x.double().numpy()[made.others[own].numpy()], weight[own].double().numpy()
    prior = made.precision.double().numpy()
    covariance = np.linalg.inv(prior + (design.T * w) @ design)
    right = (design.T * w) @ target[own].double().numpy() + prior @ made.mu.double().numpy()
    drawn = np.stack(draws)
    off = (drawn.mean(0) - covariance @ right) / np.sqrt(np.diag(covariance) / DRAWS)
    assert np.abs(off).max() < 4
    assert np.cov(drawn.T) == pytest.approx(covariance, abs=0.1 * np.diag(covariance).max())


def test_a_row_without_ratings_is_drawn_from_its_prior() -> None:
    made, x = users_of()
    n, g = len(made.others), generator(1)
    draws = []
    for _ in range(DRAWS):
        made.draw_rows(x, torch.ones(n), torch.ones(n), g)
        draws.append(made.rows[0])
    drawn = torch.stack(draws)
    covariance = torch.linalg.inv(made.precision)
    assert torch.allclose(drawn.mean(0), made.mu, atol=4 * float(covariance.max() / DRAWS) ** 0.5)
    assert torch.allclose(drawn.mT.cov(), covariance, atol=0.06)
    assert torch.equal(made.expected()[0], made.mu)


def test_small_buckets_give_the_rows_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more certain than random: rows with ratings are the same however they are cut."""
    found = []
    for budget in (module.BUDGET, 2 * WIDTH**2):
        monkeypatch.setattr(module, "BUDGET", budget)
        made, x = users_of()
        made.precision = 1e6 * torch.eye(WIDTH)
        made.draw_rows(x, torch.full((len(made.others),), 1e6), made.others.float(), generator())
        found.append(made.rows)
    assert len(list(made.buckets())) == 6
    assert torch.allclose(found[0], found[1], atol=0.01)
    assert float(found[0].abs().max()) > 1


def test_the_prior_is_drawn_given_the_rows() -> None:
    """With mu integrated out Lambda is Wishart(K + n, S^-1), and E[mu] = n mean / (n + 2)."""
    made, _ = users_of()
    made.rows = torch.randn(12, WIDTH, generator=generator(3)) + 1
    found, means = [], []
    g = generator(2)
    for _ in range(DRAWS):
        made.draw_prior(g)
        found.append(made.precision.double())
        means.append(made.mu.double())
    rows = made.rows[made.seen].double()
    n, mean = len(rows), rows.mean(0)
    scatter = (rows - mean).mT @ (rows - mean) + torch.eye(WIDTH, dtype=torch.float64)
    inverse = torch.linalg.inv(scatter + n * 2 / (n + 2) * torch.outer(mean, mean))
    assert n == 10
    assert torch.allclose(torch.stack(found).mean(0), (WIDTH + n) * inverse, atol=0.15)
    assert torch.allclose(torch.stack(means).mean(0), n * mean / (n + 2), atol=0.03)


def test_features_weights_are_drawn_given_the_rows() -> None:
    """With a strong feature its weight is the regression of the rows on it."""
    made, _ = users_of()
    vector = torch.zeros(12, 1)
    vector[made.seen] = torch.nn.functional.normalize(
        torch.randn(10, 1, generator=generator(4)), dim=0
    )
    made, _ = users_of([Basis(vector, torch.tensor([30.0]))])
    made.rows = 30 * vector * torch.tensor([1.0, -2.0, 0.5]) + 0.01
    g, drawn = generator(6), []
    for sweep in range(300):
        made.draw_prior(g)
        if sweep >= 50:
            drawn.append(made.weights[0][0])
    assert torch.allclose(torch.stack(drawn).mean(0), torch.tensor([1.0, -2.0, 0.5]), atol=0.05)
    assert torch.allclose(made.prior_mean(), made.mu + made.told[0])
