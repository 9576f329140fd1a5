"""The diff to `recipes.py`: applied to a copy, it gives what was proposed and nothing else."""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collab.base.errors import CollabError
from collab.estimators.api import Recipe
from collab.estimators.recipes import BOOK, RECIPES
from collab.estimators.space import spans_of, values_of, with_values
from collab.search.edit import NAME, SOURCE, diff_of, edited

SEARCHABLE = [name for name, recipe in RECIPES.items() if recipe.chosen_on != BOOK]
WHERE = "training rows of ml-latest-small, random-42 (flows.search)"


def proposal(name: str) -> Recipe:
    """The recipe with every value that is searched moved a little, `chosen_on` elsewhere."""
    recipe = RECIPES[name]
    spans = spans_of(recipe.estimator)
    moved = {
        k: v + 1 if spans[k].whole else spans[k].rounded(v * 1.0123456)
        for k, v in values_of(recipe.estimator).items()
    }
    return replace(recipe, estimator=with_values(recipe.estimator, moved), chosen_on=WHERE)


def applied(diff: str, folder: Path) -> dict[str, Recipe]:
    """The recipes of a copy to which a diff was applied."""
    copy = folder / NAME
    copy.parent.mkdir(parents=True)
    shutil.copy(SOURCE, copy)
    (folder / "recipes.diff").write_text(diff)
    subprocess.run(["git", "apply", "recipes.diff"], cwd=folder, check=True)
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", "--line-length", "100", copy],
        check=True,
    )
    spec: Any = importlib.util.spec_from_file_location("copied_recipes", copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, Recipe] = module.RECIPES
    return found


def told(recipe: Recipe) -> tuple[Any, ...]:
    """All of a recipe."""
    return recipe, recipe.about, recipe.chosen_on


@pytest.mark.parametrize("name", SEARCHABLE)
def test_applied_it_gives_what_was_proposed(name: str, tmp_path: Path) -> None:
    new = proposal(name)
    assert new != RECIPES[name]
    found = applied(diff_of([new]), tmp_path)
    assert told(found[name]) == told(new)
    others = {k: told(v) for k, v in RECIPES.items() if k != name}
    assert {k: told(v) for k, v in found.items() if k != name} == others


def test_several_are_one_diff(tmp_path: Path) -> None:
    new = [proposal(name) for name in reversed(SEARCHABLE)]
    found = applied(diff_of(new), tmp_path)
    assert [told(found[recipe.name]) for recipe in new] == [told(recipe) for recipe in new]
    assert list(found) == list(RECIPES)


def test_a_second_search_adds_to_what_a_first_one_told() -> None:
    once = edited(SOURCE.read_text(), [proposal("als")])
    twice = edited(once, [proposal("bias_only"), proposal("als")])
    assert twice.count(WHERE) == 2
    assert edited(twice, [proposal("als")]) == twice


def test_nothing_proposed_is_no_diff() -> None:
    assert diff_of([]) == ""


def test_a_recipe_in_no_form_that_is_known_is_refused() -> None:
    with pytest.raises(CollabError, match="does not say how made_elsewhere is made"):
        diff_of([replace(proposal("als"), name="made_elsewhere")])
    with pytest.raises(CollabError, match="declares no FAST"):
        diff_of([proposal("als")], source="RECIPES = {}\n")
