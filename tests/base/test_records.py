"""Records: read where they are of the version that is understood, refused where not."""

from dataclasses import dataclass
from typing import Any

import pytest

from collab.base.records import record_of


@dataclass(frozen=True, kw_only=True)
class Dog:
    schema: int
    name: str
    legs: int


def test_what_the_record_does_not_know_is_passed_over_and_what_is_given_goes_first() -> None:
    values = {"schema": 3, "name": "Rex", "legs": "four", "colour": "brown"}
    assert record_of(Dog, values, 3, legs=4) == Dog(schema=3, name="Rex", legs=4)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"schema": 2, "name": "Rex", "legs": 4}, "schema 2, expected 3"),
        ({"name": "Rex", "legs": 4}, "schema None, expected 3"),
        ({"schema": 3, "name": "Rex"}, "legs"),
        (["Rex", 4], "schema None, expected 3"),
        (None, "schema None, expected 3"),
    ],
)
def test_another_version_and_a_missing_field_are_named(values: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        record_of(Dog, values, 3)
