"""Lazy Adam: the plain formula in float64, dense AdamW, and rows that are left alone."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.dataset.dataset import Dataset
from collab.estimators.sgd.lazy import LazyAdamW
from collab.estimators.sgd.schedule import one_cycle
from collab.estimators.sgd.settings import Settings
from tests.estimators.support import CHAPTER, fitted_on, generator

N_ROWS, WIDTH, TOTAL = 12, 3, 400
Array = NDArray[np.float64]
SETTINGS = Settings(lr_max=0.05, wd=0.1, eps=1e-3, lazy=True)
LAZY = [name for name, estimator in CHAPTER.items() if estimator.gradient == "closed_form"]


@dataclass
class Plain:
    """All rows at every step, in float64; `fading`: epsilon fades while a row is away."""

    rows: Array
    settings: Settings
    fading: bool

    def __post_init__(self) -> None:
        self.means, self.squares = np.zeros_like(self.rows), np.zeros_like(self.rows)
        self.epsilon = np.full(len(self.rows), self.settings.eps)
        self.t = 0

    def step(self, grads: dict[int, Array]) -> None:
        lr, beta1 = one_cycle(self.settings, self.t / TOTAL)
        beta2, self.t = self.settings.beta2, self.t + 1
        for at in range(len(self.rows)):
            found = grads.get(at, np.zeros(WIDTH))
            self.means[at] = beta1 * self.means[at] + (1 - beta1) * found
            self.squares[at] = beta2 * self.squares[at] + (1 - beta2) * found**2
            if at in grads or not self.fading:
                self.epsilon[at] = self.settings.eps * np.sqrt(1 - beta2**self.t)
            else:
                self.epsilon[at] *= np.sqrt(beta2)
            self.rows[at] *= 1 - lr * self.settings.wd
            if self.means[at].any():
                scale = lr * np.sqrt(1 - beta2**self.t) / (1 - beta1**self.t)
                root = np.sqrt(self.squares[at]) + self.epsilon[at]
                self.rows[at] -= scale * self.means[at] / root


def batches(seed: int = 0) -> list[list[int]]:
    """Rows of each step, some twice; the last row is in none, the one before it in two."""
    rng = np.random.default_rng(seed)
    found = [sorted(rng.integers(0, N_ROWS - 2, 4).tolist()) for _ in range(TOTAL)]
    for step in (20, 330):
        found[step].append(N_ROWS - 2)
    return found


def start() -> Array:
    """The first values."""
    return np.random.default_rng(1).normal(0, 0.1, (N_ROWS, WIDTH))


def gradient(row: Array, step: int) -> Array:
    """Of a row: it pulls to a place that moves."""
    found: Array = row - np.cos(0.1 * step + np.arange(WIDTH))
    return found


def lazily(settings: Settings, finished: tuple[int, ...] = (TOTAL,)) -> tuple[Tensor, LazyAdamW]:
    """The same steps by the optimizer, every row brought up to date after some of them."""
    table = torch.from_numpy(start()).float()
    grads = torch.zeros_like(table)
    optimizer = LazyAdamW(table, grads, settings, TOTAL)
    for number, rows in enumerate(batches()):
        at = torch.tensor(rows)
        optimizer.prepare(at, number)
        for row in set(rows):
            grads[row] = torch.from_numpy(gradient(table[row].double().numpy(), number))
        optimizer.step(at, number)
        grads.zero_()
        if number + 1 in finished:
            optimizer.finish(number + 1)
    return table, optimizer


def plainly(settings: Settings, *, fading: bool) -> Plain:
    """The same steps by the formula."""
    plain = Plain(start(), settings, fading)
    for number, rows in enumerate(batches()):
        plain.step({row: gradient(plain.rows[row], number) for row in set(rows)})
    return plain


def test_it_is_the_plain_formula() -> None:
    table, optimizer = lazily(SETTINGS)
    plain = plainly(SETTINGS, fading=True)
    np.testing.assert_allclose(table.numpy(), plain.rows, rtol=0, atol=2e-5)
    means, squares = optimizer.moments.unbind(1)
    np.testing.assert_allclose(means.numpy(), plain.means, rtol=0, atol=2e-5)
    np.testing.assert_allclose(squares.numpy(), plain.squares, rtol=0, atol=2e-5)
    assert abs(plain.rows - start()).max() > 0.1, "they moved"


def test_it_is_dense_adam_where_epsilon_is_nothing() -> None:
    settings = SETTINGS.but(eps=1e-12)
    table, _ = lazily(settings)
    np.testing.assert_allclose(
        table.numpy(), plainly(settings, fading=False).rows, rtol=0, atol=5e-5
    )


def test_to_look_at_the_rows_in_between_changes_nothing() -> None:
    once, _ = lazily(SETTINGS)
    often, _ = lazily(SETTINGS, finished=(100, 101, 250, TOTAL))
    np.testing.assert_allclose(often.numpy(), once.numpy(), rtol=0, atol=2e-3)
    exact = SETTINGS.but(eps=1e-12)
    pair = [lazily(exact, finished=at)[0].numpy() for at in ((TOTAL,), (100, 101, 250, TOTAL))]
    np.testing.assert_allclose(pair[0], pair[1], rtol=0, atol=5e-5)


def test_a_row_in_no_batch_decays_alone() -> None:
    table, _ = lazily(SETTINGS)
    lrs = [one_cycle(SETTINGS, step / TOTAL)[0] for step in range(TOTAL)]
    left = np.prod([1 - lr * SETTINGS.wd for lr in lrs])
    assert left < 0.9
    np.testing.assert_allclose(table[-1].numpy(), left * start()[-1], rtol=1e-5)


def test_a_step_leaves_the_rows_that_are_not_in_it_alone() -> None:
    table, grads = torch.randn(N_ROWS, WIDTH, generator=generator()), torch.ones(N_ROWS, WIDTH)
    optimizer = LazyAdamW(table, grads, SETTINGS, TOTAL)
    before = table.clone()
    for number, rows in enumerate(([1, 4, 4], [4, 7])):
        optimizer.prepare(torch.tensor(rows), number)
        optimizer.step(torch.tensor(rows), number)
    moved = (table != before).any(1).nonzero()[:, 0].tolist()
    assert moved == [1, 4, 7]
    assert optimizer.last.tolist() == [{1: 1, 4: 2, 7: 2}.get(row, 0) for row in range(N_ROWS)]


@pytest.mark.parametrize("name", LAZY)
def test_a_faithful_model_learns_the_same(name: str, planted_dataset: Dataset) -> None:
    estimator = CHAPTER[name].but(batch_size=8, epochs=4, lr_max=0.05)
    valid = planted_dataset.valid()
    dense, lazy, other = (
        fitted_on(each, planted_dataset, seed=seed).predict(valid)
        for each, seed in ((estimator, 1), (estimator.but(lazy=True), 1), (estimator, 2))
    )
    between_seeds = float((dense - other).abs().mean())
    assert float((dense - lazy).abs().mean()) < between_seeds / 4
    assert not torch.equal(dense, lazy)
