"""User and item means by hand."""

import pytest
import torch

from collab.dataset.dataset import Dataset
from collab.estimators.bias_only import BiasOnly
from tests.estimators.support import context, fitted_on, last, rows_of, unknown_rows

FOUR = [(1, 1, 5.0), (1, 2, 4.0), (2, 1, 2.0), (2, 2, 1.0)]


def test_by_hand() -> None:
    # mean 3; item 1: (2 - 1) / (2 + 2) = 1/4, item 2: (1 - 2) / 4 = -1/4
    # left of user 1: 7/4 + 5/4 = 3, over 2 + 1: 1; of user 2: -5/4 - 7/4 = -3: -1
    fitted = last(BiasOnly(item_ridge=2, user_ridge=1), rows_of(FOUR, 3, 3), context(3, 3))
    rows = unknown_rows(3, 3)  # (0, 0), (0, 1), (1, 0), (1, 1), (2, 2)
    assert fitted.predict(rows).tolist() == pytest.approx([3, 3.25, 4, 4.25, 1.75])
    # errors 0.75, 0.25, -0.25, -0.75
    assert fitted.train_loss == pytest.approx((2 * 0.75**2 + 2 * 0.25**2) / 4)
    assert fitted.n_parameters == 7


def test_without_shrinking_they_are_the_means() -> None:
    fitted = last(BiasOnly(item_ridge=0, user_ridge=0), rows_of(FOUR, 3, 3), context(3, 3))
    assert fitted.predict(unknown_rows(3, 3)).tolist() == pytest.approx([3, 3.5, 4.5, 5, 1])


def test_predictions_stay_on_the_scale() -> None:
    extreme = [(1, 1, 5.0), (2, 1, 5.0), (3, 2, 1.0), (3, 1, 5.0), (1, 3, 5.0), (4, 2, 1.0)]
    fitted = last(BiasOnly(item_ridge=0, user_ridge=0), rows_of(extreme, 5, 4), context(5, 4))
    predicted = fitted.predict(rows_of([(u, i, 1.0) for u in range(5) for i in range(4)], 5, 4))
    assert float(predicted.min()) >= 1
    assert float(predicted.max()) <= 5


def test_the_seed_does_not_matter(planted_dataset: Dataset) -> None:
    valid = planted_dataset.valid()
    first, other = (fitted_on(BiasOnly(), planted_dataset, seed).predict(valid) for seed in (1, 2))
    assert torch.equal(first, other)
