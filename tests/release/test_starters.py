"""Which movies a newcomer is asked about, where the informative ones are planted."""

import numpy as np
import pytest
import torch

from collab.estimators.fold_in import Prior
from collab.release.newcomer import starter_movies
from tests.release.tiny import factors

COUNTS = np.array([100.0, 100.0, 100.0, 100.0])


def prior(*precision: float) -> Prior:
    """Around zero, of factors and a bias that know nothing of each other."""
    square = torch.diag(torch.tensor(precision, dtype=torch.float64))
    return Prior(mean=torch.zeros(len(precision)), precision=square, noise=1.0)


def test_the_movie_that_splits_two_tastes_comes_first_and_its_copy_not_next() -> None:
    # 10 and 20 split a first taste, alike; 30 a second that differs less; 40 nobody minds
    found = factors([[2.0, 0.0], [2.0, 0.0], [0.0, 1.5], [0.0, 0.0]])
    asked = starter_movies(found, COUNTS, 100, prior(1.0, 1.0, 1e6))
    assert asked["rank"].tolist() == [1, 2, 3, 4]
    assert asked["item_id"].tolist() == [10, 30, 20, 40]


def test_what_few_know_is_asked_later() -> None:
    found = factors([[2.0], [1.5], [0.0]])
    few = np.array([10.0, 100.0, 100.0])
    asked = starter_movies(found, few, 100, prior(1.0, 1e6), k=2)
    assert asked["item_id"].tolist() == [20, 10]
    assert asked["known"].tolist() == pytest.approx([1.0, 0.1])


def test_the_variance_that_is_left_is_that_of_the_regression() -> None:
    """All know both items, so the covariance is (P + sum x x')^-1; averaged over their ratings."""
    found = factors([[2.0], [-1.0]])
    counts, x = np.array([30.0, 30.0]), np.array([[2.0, 1.0], [-1.0, 1.0]])
    asked = starter_movies(found, counts, 30, prior(3.0, 4.0))
    left, precision = [], np.diag([3.0, 4.0])
    first = {10: 0, 20: 1}[int(asked["item_id"][0])]
    for at in ([], [first], [0, 1]):
        inverse = np.linalg.inv(precision + x[at].T @ x[at])
        left.append(float(np.einsum("ij,jk,ik->", x, inverse, x)))
    expected = [left[1] / left[0], left[2] / left[0]]
    assert asked["variance_left"].tolist() == pytest.approx(expected)
