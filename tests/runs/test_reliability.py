"""Probabilities of ratings against how often they are given, by hand."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.runs import reliability as module
from collab.runs.reliability import between, reliability

LEVELS = torch.tensor([1.0, 2.0, 3.0])


@dataclass
class Classes:
    """A model that tells every row the same probabilities."""

    mass: Tensor
    train_loss: float = 1.0
    n_parameters: int = 1

    @property
    def levels(self) -> Tensor:
        return LEVELS

    def probabilities(self, rows: Rows) -> Tensor:
        return self.mass.expand(len(rows), 3)


@dataclass
class Plain:
    """A model that says nothing of the kind."""

    train_loss: float = 1.0


@dataclass
class Spread:
    """A model that may be half a star off."""

    def spread(self, rows: Rows) -> Tensor:
        return torch.full((len(rows),), 0.5)

    def samples(self) -> None:
        """None are asked for."""


def rows_of(ratings: list[float]) -> Rows:
    n = len(ratings)
    index = torch.zeros(n, dtype=torch.int32)
    return Rows(users=index, items=index, ratings=torch.tensor(ratings), ts=torch.zeros(n))


def test_told_and_given_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told 10, 25 and 65 %; given to 0, 2 and 3 of 5 rows, gathered 2 rows at a time."""
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    valid = rows_of([2, 3, 3, 2, 3])
    found = reliability(Classes(torch.tensor([0.1, 0.25, 0.65])), valid, valid.ratings)  # type: ignore[arg-type]
    assert found is not None
    assert found["rating"].tolist() == [1, 2, 3]
    assert found["bin"].tolist() == [1, 2, 6]
    assert found["n"].tolist() == [5, 5, 5]
    np.testing.assert_allclose(found["probability"], [0.1, 0.25, 0.65], atol=1e-6)
    np.testing.assert_allclose(found["observed"], [0.0, 0.4, 0.6])


def test_a_certainty_is_in_the_last_tenth() -> None:
    valid = rows_of([3, 3])
    found = reliability(Classes(torch.tensor([0.0, 0.0, 1.0])), valid, valid.ratings)  # type: ignore[arg-type]
    assert found is not None
    assert list(zip(found["rating"], found["bin"], found["observed"], strict=True)) == [
        (1, 0, 0.0),
        (2, 0, 0.0),
        (3, 9, 1.0),
    ]


def test_stars_and_a_spread_make_probabilities_half_way_between_ratings() -> None:
    """Predicted 2 ± 0.5: 1.5 and 2.5 are one deviation away, so 68.27 % say 2."""
    mass = between(torch.tensor([2.0]), torch.tensor([0.5]), LEVELS)
    np.testing.assert_allclose(mass[0], [0.15866, 0.68269, 0.15866], atol=1e-5)
    valid = rows_of([1, 2, 3])
    found = reliability(Spread(), valid, torch.full((3,), 2.0))  # type: ignore[arg-type]
    assert found is not None
    assert found["observed"].tolist() == pytest.approx([1 / 3] * 3)


def test_a_model_that_does_not_say_and_no_rows_have_none() -> None:
    valid = rows_of([1, 2])
    assert reliability(Plain(), valid, valid.ratings) is None  # type: ignore[arg-type]
    none = rows_of([])
    assert reliability(Classes(torch.ones(3) / 3), none, none.ratings) is None  # type: ignore[arg-type]
