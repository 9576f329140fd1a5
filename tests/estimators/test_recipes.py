"""Recipes: the chapter's settings, and how a variant is added."""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from collab.base.errors import CollabError
from collab.estimators.sgd.recipe import Recipe
from collab.estimators.recipes import DOT_PRODUCT, FAITHFUL, FAST, VARIANTS, get_recipes


def test_the_eight_variants_and_their_decay() -> None:
    assert {recipe.name: recipe.wd for recipe in FAITHFUL.values()} == {
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
    for recipe in FAITHFUL.values():
        assert (recipe.epochs, recipe.batch_size, recipe.lr_max) == (5, 64, 5e-3)
        assert recipe.sized(944, 1638) == recipe
        assert (recipe.div, recipe.div_final, recipe.pct_start) == (25, 1e5, 0.25)
        assert (recipe.momentum, recipe.beta2, recipe.eps) == ((0.95, 0.85, 0.95), 0.99, 1e-5)
        assert recipe.arguments.get("y_range", (0, 5.5)) == (0, 5.5)
        assert recipe.arguments.get("n_factors", 50) == 50


@pytest.mark.parametrize("recipe", VARIANTS.values(), ids=lambda r: r.name)
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    text = json.dumps(recipe.to_json())
    again = Recipe.from_json(json.loads(text))
    assert json.dumps(again.to_json()) == text
    assert again.model is recipe.model
    assert again.but(arguments=recipe.arguments) == recipe


def test_names_are_taken_once_in_order() -> None:
    names = ["embedding_nn", "dot_product", "embedding_nn"]
    assert [recipe.name for recipe in get_recipes(names)] == names[:2]
    assert [recipe.epochs for recipe in get_recipes(["dot_product"], epochs=2)] == [2]


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(CollabError, match="list of variants is empty"):
        get_recipes([])


def test_groups_stand_for_all_of_a_kind() -> None:
    assert [r.name for r in get_recipes(["fast"])] == [f"fast_{name}" for name in FAITHFUL]
    assert [r.name for r in get_recipes(["faithful", "dot_product"])] == list(FAITHFUL)
    assert [r.name for r in get_recipes()] == list(VARIANTS)


def test_fast_recipes_train_the_same_models() -> None:
    assert {r.model for r in FAST.values()} == {r.model for r in FAITHFUL.values()}
    for name, recipe in FAITHFUL.items():
        assert FAST[f"fast_{name}"].model is recipe.model


def test_a_share_settles_the_batch_by_users_and_items() -> None:
    recipe = DOT_PRODUCT.but(batch_size=64, batch_share=0.3)
    assert recipe.sized(900, 1100).batch_size == 600
    assert recipe.sized(90, 100).batch_size == 64
    assert recipe.sized(900, 1100).batch_share == 0


def test_an_unknown_variant_suggests_the_nearest() -> None:
    with pytest.raises(CollabError, match=r"Did you mean embedding_nn\?"):
        get_recipes(["embeding_nn"])


def test_no_epochs_are_refused() -> None:
    with pytest.raises(CollabError, match="epochs is 0"):
        get_recipes(epochs=0)


def test_a_new_model_is_one_module_and_one_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mean_model.py").write_text(
        "import torch\n"
        "class Mean(torch.nn.Module):\n"
        "    def __init__(self, n_users, n_items, *, generator, start):\n"
        "        super().__init__()\n"
        "        self.mean = torch.nn.Parameter(torch.tensor(start))\n"
        "    def forward(self, users, items):\n"
        "        return self.mean.expand(len(users))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import mean_model  # type: ignore[import-not-found]

    recipe = DOT_PRODUCT.but(name="mean", model=mean_model.Mean, arguments={"start": 3.0})
    monkeypatch.setitem(VARIANTS, "mean", recipe)
    (found,) = get_recipes(["mean"])
    model = Recipe.from_json(found.to_json()).build(5, 5, torch.Generator())
    assert isinstance(model, nn.Module)
    assert model(torch.tensor([1, 2]), torch.tensor([1, 2])).tolist() == [3.0, 3.0]
    assert "mean_model" in sys.modules
