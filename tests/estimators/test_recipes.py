"""Recipes: the chapter's settings, and how a variant is added."""

import json
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.dataset.dataset import Dataset
from collab.estimators.api import Recipe
from collab.estimators.recipes import DEFAULT, FAITHFUL, FAST, GROUPS, RECIPES, get_recipes
from collab.estimators.sgd.estimator import Sgd
from collab.estimators.sgd.settings import Settings
from tests.estimators.support import CHAPTER, fitted_on


def test_the_eight_variants_and_their_decay() -> None:
    assert {name: sgd.wd for name, sgd in CHAPTER.items()} == {
        "dot_product": 0.01,
        "dot_product_sigmoid": 0.01,
        "dot_product_bias": 0.01,
        "dot_product_bias_wd": 0.1,
        "dot_product_bias_params": 0.1,
        "embedding_dot_bias": 0.1,
        "collab_nn": 0.01,
        "embedding_nn": 0.1,
    }


def test_all_else_is_the_chapters() -> None:
    for sgd in CHAPTER.values():
        assert (sgd.epochs, sgd.batch_size, sgd.lr_max) == (5, 64, 5e-3)
        assert sgd.sized(944, 1638) == sgd
        assert (sgd.div, sgd.div_final, sgd.pct_start) == (25, 1e5, 0.25)
        assert (sgd.momentum, sgd.beta2) == ((0.95, 0.85, 0.95), 0.99)
        assert (sgd.eps, sgd.row_eps) == (1e-5, 0)
        assert sgd.arguments.get("y_range", (0, 5.5)) == (0, 5.5)
        assert sgd.arguments.get("n_factors", 50) == 50


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: r.name)
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    text = json.dumps(recipe.to_json())
    again = Recipe.from_json(json.loads(text))
    assert again == recipe
    assert json.dumps(again.to_json()) == text
    assert (again.about, again.chosen_on) == (recipe.about, recipe.chosen_on)


def test_what_no_version_knows_is_named() -> None:
    record = RECIPES["als"].to_json()
    for estimator in (
        {"estimator": "collab.estimators.als:Gone"},
        {"estimator": "collab.estimators.gone:Als"},
        {**record["estimator"], "colour": "red"},
    ):
        with pytest.raises(ValueError, match=r"the estimator collab\.estimators\..* is not known"):
            Recipe.from_json({**record, "estimator": estimator})


def test_names_are_taken_once_in_order() -> None:
    names = ["embedding_nn", "dot_product", "embedding_nn"]
    assert [recipe.name for recipe in get_recipes(names)] == names[:2]


def test_epochs_are_of_what_is_trained_in_epochs() -> None:
    dot, als = get_recipes(["dot_product", "als"], epochs=2)
    assert isinstance(dot.estimator, Sgd)
    assert dot.estimator.epochs == dot.estimator.passes == 2
    assert als == RECIPES["als"]


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(CollabError, match="list of variants is empty"):
        get_recipes([])


def test_groups_stand_for_all_of_a_kind() -> None:
    assert [r.name for r in get_recipes(["fast"])] == [f"fast_{name}" for name in FAITHFUL]
    assert [r.name for r in get_recipes(["faithful", "dot_product"])] == list(FAITHFUL)
    assert [r.name for r in get_recipes()] == list(DEFAULT)
    by_name = {*GROUPS["bayesian"], *GROUPS["homework"], *GROUPS["lazy"]} - {"bayesian_mf"}
    assert set(RECIPES) - set(DEFAULT) == by_name
    assert [name for names in GROUPS.values() for name in names] == list(RECIPES)


def test_fast_recipes_train_the_same_models() -> None:
    assert list(FAST) == list(CHAPTER)
    for name, faithful in CHAPTER.items():
        fast = RECIPES[f"fast_{name}"].estimator
        assert isinstance(fast, Sgd)
        assert (fast.model, fast.gradient) == (faithful.model, faithful.gradient)
        assert fast != faithful


def test_lazy_recipes_are_the_chapters_but_for_the_step() -> None:
    names = [name for name, estimator in CHAPTER.items() if estimator.gradient == "closed_form"]
    assert [r.name for r in get_recipes(["lazy"])] == [f"lazy_{name}" for name in names]
    for name in names:
        assert RECIPES[f"lazy_{name}"].estimator == CHAPTER[name].but(lazy=True)
    with pytest.raises(ValueError, match="only the closed form"):
        CHAPTER["collab_nn"].but(lazy=True)


def test_a_share_settles_the_batch_by_users_and_items() -> None:
    settings = Settings(batch_size=64, batch_share=0.3)
    assert settings.sized(900, 1100).batch_size == 600
    assert settings.sized(90, 100).batch_size == 64
    assert settings.sized(900, 1100).batch_share == 0


def test_eps_follows_the_batch_where_it_is_of_a_row() -> None:
    settings = Settings(batch_size=64, batch_share=0.3, row_eps=0.6)
    assert settings.sized(900, 1100).eps == pytest.approx(0.001)
    assert settings.sized(900, 1100).row_eps == 0
    assert Settings(eps=0.5).sized(900, 1100).eps == 0.5


def test_an_unknown_variant_suggests_the_nearest() -> None:
    with pytest.raises(CollabError, match=r"Did you mean embedding_nn\?"):
        get_recipes(["embeding_nn"])


def test_no_epochs_are_refused() -> None:
    with pytest.raises(CollabError, match="epochs is 0"):
        get_recipes(epochs=0)


MEANS = """
from dataclasses import dataclass
from typing import ClassVar
import torch

@dataclass(frozen=True, kw_only=True)
class Constant:
    uses_time: ClassVar[bool] = False
    passes: ClassVar[int] = 1
    stars: float

    def fit(self, train, context):
        yield Fitted(self.stars)

class Fitted:
    train_loss, n_parameters = 1.0, 1

    def __init__(self, stars):
        self.stars = stars

    def predict(self, rows):
        return torch.full((len(rows),), self.stars)

class Mean(torch.nn.Module):
    def __init__(self, n_users, n_items, *, generator, start):
        super().__init__()
        self.mean = torch.nn.Parameter(torch.tensor(start))

    def tables(self):
        return [], []

    def forward(self, users, items):
        return self.mean.expand(len(users))
"""


def test_a_new_variant_is_one_module_and_one_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted_dataset: Dataset
) -> None:
    (tmp_path / "means.py").write_text(MEANS)
    monkeypatch.syspath_prepend(str(tmp_path))
    import means  # type: ignore[import-not-found]

    constant = Recipe(name="constant", estimator=means.Constant(stars=3.0))
    sgd = Sgd(model=means.Mean, arguments={"start": 3.0}, lr_max=1e-9, wd=0)
    for recipe in (constant, Recipe(name="mean", estimator=sgd)):
        monkeypatch.setitem(RECIPES, recipe.name, recipe)
        (found,) = get_recipes([recipe.name])
        again = Recipe.from_json(json.loads(json.dumps(found.to_json())))
        predicted = fitted_on(again.estimator, planted_dataset).predict(planted_dataset.valid())
        assert predicted.tolist() == pytest.approx([3.0] * planted_dataset.n_valid, abs=1e-4)
