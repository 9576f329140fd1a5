"""What every estimator promises, whatever it is."""

from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from collab.dataset.dataset import Dataset
from collab.dataset.rows import Rows
from collab.estimators.api import Context, HasFactors, HasUncertainty, Recipe
from collab.estimators.fold_in import FoldsIn
from collab.estimators.recipes import RECIPES
from tests.estimators.support import CPU, fitted_on, quick, unknown_rows

EVERY = pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
EXPLAINED = {"als", "bayesian_mf"} | {name for name in RECIPES if "bias" in name} - {"bias_only"}


def asked(dataset: Dataset) -> list[Rows]:
    """The validation rows, the unknown, one row and none."""
    valid = dataset.valid()
    unknown = unknown_rows(len(dataset.users), len(dataset.items))
    return [valid, unknown, valid.take(slice(1)), valid.take(slice(0))]


@EVERY
def test_predictions_are_stars_also_of_the_unknown(
    recipe: Recipe, planted_dataset: Dataset
) -> None:
    fitted = fitted_on(quick(recipe.estimator), planted_dataset)
    for rows in asked(planted_dataset):
        predicted = fitted.predict(rows)
        assert predicted.shape == (len(rows),)
        assert predicted.dtype == torch.float32
        assert predicted.device == CPU
        assert not predicted.requires_grad
        assert bool(torch.isfinite(predicted).all())
    assert fitted.n_parameters > 0


@EVERY
def test_what_is_saved_and_loaded_predicts_the_same(
    recipe: Recipe, planted_dataset: Dataset, tmp_path: Path
) -> None:
    estimator = quick(recipe.estimator)
    fitted = fitted_on(estimator, planted_dataset)
    fitted.save(tmp_path)
    loaded = estimator.load(tmp_path)
    assert loaded.n_parameters == fitted.n_parameters
    for rows in asked(planted_dataset):
        # training made the tensors views of one buffer, where sums may run in another order
        torch.testing.assert_close(loaded.predict(rows), fitted.predict(rows), rtol=0, atol=1e-5)


@EVERY
def test_the_same_seed_predicts_the_same(recipe: Recipe, planted_dataset: Dataset) -> None:
    estimator, valid = quick(recipe.estimator), planted_dataset.valid()
    first, again = (fitted_on(estimator, planted_dataset, seed=7).predict(valid) for _ in range(2))
    assert torch.equal(first, again)


@EVERY
def test_every_pass_yields_a_model_that_can_be_used(
    recipe: Recipe, planted_dataset: Dataset
) -> None:
    estimator, valid = quick(recipe.estimator), planted_dataset.valid()
    train, context = planted_dataset.train(), Context.of(planted_dataset, 1, CPU)
    before = train.ratings.clone(), train.users.clone(), train.items.clone()
    seen = []
    for fitted in estimator.fit(train, context):
        assert bool(torch.isfinite(fitted.predict(valid)).all())
        assert fitted.train_loss > 0
        seen.append(fitted.predict(valid))
    assert len(seen) == estimator.passes
    assert all(not torch.equal(one, next_) for one, next_ in pairwise(seen))
    assert all(
        torch.equal(old, new)
        for old, new in zip(before, (train.ratings, train.users, train.items), strict=True)
    )


@EVERY
def test_factors_predict_what_the_model_does(recipe: Recipe, planted_dataset: Dataset) -> None:
    fitted = fitted_on(quick(recipe.estimator), planted_dataset)
    if not isinstance(fitted, HasFactors):
        assert not hasattr(fitted, "factors")
        return
    factors = fitted.factors()
    sizes = (len(planted_dataset.users), len(planted_dataset.items))
    assert (len(factors.user_factors), len(factors.item_factors)) == sizes
    assert (factors.user_bias.shape, factors.item_bias.shape) == ((sizes[0],), (sizes[1],))
    for rows in asked(planted_dataset):
        explained = factors.predict(rows.users, rows.items)
        torch.testing.assert_close(explained, fitted.predict(rows), rtol=0, atol=1e-4)


def test_which_models_have_factors(planted_dataset: Dataset) -> None:
    fitted = {
        name: fitted_on(quick(recipe.estimator), planted_dataset)
        for name, recipe in RECIPES.items()
        if name in EXPLAINED or name in {"bias_only", "dot_product", "collab_nn", "embedding_nn"}
    }
    assert {name for name, model in fitted.items() if isinstance(model, HasFactors)} == EXPLAINED


@EVERY
def test_a_new_user_is_told_by_factors_and_a_bias(recipe: Recipe, planted_dataset: Dataset) -> None:
    fitted = fitted_on(quick(recipe.estimator), planted_dataset)
    if not isinstance(fitted, FoldsIn):
        assert not hasattr(fitted, "fold_in")
        return
    assert isinstance(fitted, HasFactors)
    user = fitted.fold_in(torch.tensor([1, 2, 3]), torch.tensor([5.0, 1.0, 5.0]))
    assert user.factors.shape == fitted.factors().user_factors[0].shape
    assert bool(torch.isfinite(user.factors).all())
    assert isinstance(user.bias, float)


@EVERY
def test_how_sure_a_model_is_is_a_deviation(recipe: Recipe, planted_dataset: Dataset) -> None:
    fitted = fitted_on(quick(recipe.estimator), planted_dataset)
    if not isinstance(fitted, HasUncertainty):
        assert not hasattr(fitted, "spread")
        return
    spread = fitted.spread(planted_dataset.valid())
    assert spread.shape == (planted_dataset.n_valid,)
    assert float(spread.min()) > 0


@EVERY
def test_hyperparameters_are_all_there_is(recipe: Recipe) -> None:
    estimator = recipe.estimator
    assert set(vars(estimator)) == {f.name for f in fields(estimator)}  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        setattr(estimator, fields(estimator)[0].name, 1)  # type: ignore[arg-type]


@EVERY
def test_an_estimator_says_whether_its_models_have_factors(
    recipe: Recipe, planted_dataset: Dataset
) -> None:
    estimator = quick(recipe.estimator)
    fitted = fitted_on(estimator, planted_dataset)
    assert estimator.explains == isinstance(fitted, HasFactors)
