"""What is searched of an estimator: told by the types of its fields."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from collab.estimators.recipes import BOOK, RECIPES
from collab.estimators.space import Span, spans_of, values_of, with_values

RATE = Span(low=0.01, high=1.0, log=True)
WIDTH = Span(low=4, high=64)


class Model:
    """A model of one argument that is searched."""

    def __init__(self, n: int, *, width: Annotated[int, WIDTH] = 8, plain: bool = False) -> None:
        """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """Two fields, one of them searched."""

    rate: Annotated[float, RATE] = 0.1
    decay: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Learner(Base):
    """Inherits what is searched, and has a model."""

    model: type[Model] = Model
    arguments: dict[str, Any] = field(default_factory=dict)


def test_it_stands_beside_the_default() -> None:
    assert spans_of(Learner()) == {"rate": RATE, "arguments.width": WIDTH}
    assert values_of(Learner()) == {"rate": 0.1}
    assert values_of(Learner(arguments={"width": 9, "plain": True})) == {
        "rate": 0.1,
        "arguments.width": 9,
    }


def test_other_values_leave_the_rest_alone() -> None:
    learner = Learner(decay=0.7, arguments={"width": 9, "plain": True})
    changed = with_values(learner, {"rate": 0.2, "arguments.width": 5})
    assert changed == Learner(rate=0.2, decay=0.7, arguments={"width": 5, "plain": True})
    assert with_values(Base(), {"rate": 0.3}) == Base(rate=0.3)


def test_whole_numbers_stay_whole_and_others_short() -> None:
    assert (WIDTH.whole, RATE.whole) == (True, False)
    assert (WIDTH.rounded(7), RATE.rounded(0.123456)) == (7, 0.123)


@pytest.mark.parametrize("name", [n for n, r in RECIPES.items() if r.chosen_on != BOOK])
def test_a_recipe_lies_within_what_is_searched(name: str) -> None:
    estimator = RECIPES[name].estimator
    spans, values = spans_of(estimator), values_of(estimator)
    assert values
    for each, value in values.items():
        assert spans[each].low <= value <= spans[each].high, each
    assert with_values(estimator, values) == estimator
