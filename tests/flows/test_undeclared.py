"""What is declared of an edition, and how a plan differs from it."""

from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.estimators.recipes import DEFAULT
from collab.movielens.editions import EDITIONS
from flows import declared
from flows.plan import plan
from flows.undeclared import of_plan


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_is_trained_by_default_is_what_is_declared(edition: str) -> None:
    assert of_plan(plan(edition=edition), edition) == ()


def test_the_default_is_all_but_what_takes_minutes() -> None:
    assert [recipe.name for recipe in plan(edition="ml-100k").recipes] == list(DEFAULT)


def test_every_difference_is_named() -> None:
    own = plan(edition="ml-100k", variants=["fast", "lazy_dot_product"], epochs=1, seed=7,
               splits=[7], minutes=1)  # fmt: skip
    without, besides, settings, cuts, seed, minutes = of_plan(own, "ml-100k")
    assert without.startswith("without dot_product, dot_product_sigmoid,")
    assert without.endswith("als, bayesian_mf")
    assert besides == "with lazy_dot_product besides"
    assert settings.startswith("other settings of fast_dot_product,")
    assert cuts == "on random-7 instead of random-42, random-1, random-2"
    assert seed == "seed 7 instead of 42"
    assert minutes == "1 minutes instead of 4.2"


def test_another_kind_of_item_is_a_difference() -> None:
    wanted = plan(edition="ml-100k")
    assert of_plan(wanted, "ml-100k", "title") == ()
    assert of_plan(wanted, "ml-100k", "movie") == ("an item is a movie instead of a title",)


def test_a_seed_that_is_not_given_is_the_declared_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = declared.FILE.read_text().replace("seed = 42", "seed = 5")
    monkeypatch.setattr(declared, "FILE", tmp_path / "releases.toml")
    declared.FILE.write_text(text)
    assert plan(edition="ml-100k").seed == 5
    assert of_plan(plan(edition="ml-100k", seed=42), "ml-100k") == ("seed 42 instead of 5",)


def test_no_split_at_all_is_refused() -> None:
    with pytest.raises(CollabError, match="The list of splits is empty"):
        plan(edition="ml-100k", splits=[])


def test_more_minutes_than_declared_are_no_difference() -> None:
    assert of_plan(plan(edition="ml-100k", minutes=60), "ml-100k") == ()


@pytest.mark.parametrize("text", ["[default", "[other]\n", "[default]\nsplit = [1]\n"])
def test_a_file_of_something_else_is_said(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared, "FILE", tmp_path / "releases.toml")
    declared.FILE.write_text(text)
    with pytest.raises(CollabError, match=r"releases\.toml cannot be used .*Expected a table"):
        plan(edition="ml-100k")
