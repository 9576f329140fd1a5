"""The closed form is only for models whose gradient it is."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from collab.base.errors import CollabError
from collab.dataset.dataset import Dataset
from collab.estimators.api import Context, HasFactors, Recipe
from collab.estimators.sgd.dot_product import DotProduct, DotProductBias
from collab.estimators.sgd.estimator import Sgd
from collab.runs.record import load_run
from collab.runs.spec import RunSpec
from collab.runs.train import factors_gap, train_run
from tests.estimators.support import CHAPTER, CPU, fitted_on


class Parity(DotProductBias):
    """One more term in the score: what the closed form and the factors do not know."""

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return super().forward(users, items) + 0.25 * ((users + items) % 2)


class Weighted(DotProduct):
    """One more parameter: without a gradient it would stay as it was drawn."""

    def __init__(self, *sizes: int, **arguments: object) -> None:
        super().__init__(*sizes, **arguments)  # type: ignore[arg-type]
        self.weight = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return super().forward(users, items) * self.weight


QUICK = CHAPTER["dot_product_bias_wd"].but(epochs=2, batch_size=8)


@pytest.mark.parametrize(
    "sgd",
    [
        QUICK.but(model=Parity),
        QUICK.but(model=Weighted),
        QUICK.but(model=Parity, arguments={"n_factors": 3, "y_range": None}),
    ],
    ids=lambda sgd: str(sgd.model.__name__),
)
def test_another_score_is_refused_and_told_what_to_do(sgd: Sgd, planted_dataset: Dataset) -> None:
    said = rf"not that of {sgd.model.__name__}.* Use gradient='autograd'"
    with pytest.raises(CollabError, match=said):
        next(sgd.fit(planted_dataset.train(), Context.of(planted_dataset, 1, CPU)))


def test_by_autograd_it_trains_but_its_factors_do_not_explain_it(
    planted_dataset: Dataset, tmp_path: Path
) -> None:
    recipe = Recipe(name="parity", estimator=QUICK.but(model=Parity, gradient="autograd"))
    spec = RunSpec(dataset=planted_dataset.path, runs=tmp_path, recipe=recipe, seed=1, device="cpu")
    train_run(spec)
    record = load_run(spec.folder).record
    assert record.factors_gap == pytest.approx(0.25, abs=1e-4)
    assert not record.supplies_tables


def test_what_the_factors_explain_supplies_tables(planted_dataset: Dataset, tmp_path: Path) -> None:
    recipe = Recipe(name="bias", estimator=QUICK)
    spec = RunSpec(dataset=planted_dataset.path, runs=tmp_path, recipe=recipe, seed=1, device="cpu")
    train_run(spec)
    record = load_run(spec.folder).record
    assert record.factors_gap is not None
    assert record.factors_gap < 1e-5
    assert record.supplies_tables


def test_predictions_that_are_no_numbers_are_not_explained(planted_dataset: Dataset) -> None:
    fitted = fitted_on(QUICK.but(epochs=1), planted_dataset)
    assert isinstance(fitted, HasFactors)
    for parameter in fitted.model.parameters():  # type: ignore[attr-defined]
        parameter.data.fill_(float("nan"))
    assert factors_gap(fitted, planted_dataset.valid()) == float("inf")


def test_a_model_without_factors_has_no_gap(planted_dataset: Dataset) -> None:
    fitted = fitted_on(CHAPTER["collab_nn"].but(epochs=1), planted_dataset)
    assert factors_gap(fitted, planted_dataset.valid()) is None
