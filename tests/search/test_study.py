"""Which trials end early, worked out by hand; and what is asked."""

import builtins
from typing import Any

import pytest

from collab.base.errors import CollabError
from collab.estimators.space import Span
from collab.search.study import Study, limits_of, require_optuna

SPANS = {"rate": Span(low=0.001, high=0.1, log=True), "sweeps": Span(low=2, high=9)}
FIRST = {"rate": 0.0123, "sweeps": 4}


def test_nothing_ends_early_before_enough_has_been_seen() -> None:
    seen = [(4, [1.0, 1.0, 1.0, 1.0])] * 7
    assert limits_of(4, seen) == ()
    assert limits_of(4, [*seen, (4, [9.0])]) == ((1, 1.0),), "only seven came to the half"


def test_the_better_half_of_those_that_came_so_far_goes_on() -> None:
    seen = [
        (8, [0.0, first, 0.0, half]) for first, half in zip(range(8), range(8, 0, -1), strict=True)
    ]
    assert limits_of(8, seen) == ((2, 3), (4, 4))


def test_rungs_are_parts_of_the_passes_of_each() -> None:
    seen = [(2, [0.5, 0.1])] * 8  # a quarter and the half are its first pass
    assert limits_of(12, seen) == ((3, 0.5), (6, 0.5))
    assert limits_of(1, seen) == (), "after the last pass nothing is left to end"


def test_it_asks_for_the_present_values_first_and_keeps_to_the_spans() -> None:
    study = Study(SPANS, FIRST, seed=1)
    asked = [study.ask() for _ in range(40)]
    assert asked[0].values == FIRST
    for each in asked:
        assert SPANS["rate"].low <= each.values["rate"] <= SPANS["rate"].high
        assert each.values["sweeps"] in range(2, 10)
        assert float(f"{each.values['rate']:.3g}") == each.values["rate"]


def test_it_learns_from_what_it_is_told() -> None:
    study = Study(SPANS, FIRST, seed=1)
    errors = []
    for _ in range(60):
        asked = study.ask()
        errors.append(abs(asked.values["sweeps"] - 7))
        study.tell(asked, errors[-1], 1, errors[-1:])
    assert sum(error <= 1 for error in errors[30:]) > 15, "three of eight values, drawn at random"


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def missing(name: str, *more: Any) -> Any:
        if name == "optuna":
            raise ImportError("No module named 'optuna'")
        return imported(name, *more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(
        CollabError, match=r"No module named 'optuna'.*pip install -e '\.\[search\]'"
    ):
        require_optuna()
