"""The training loop on planted data."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from collab.base.errors import CollabError
from collab.dataset.dataset import Dataset
from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.sgd.estimator import Sgd
from collab.estimators.sgd.fit import make_step, run_steps, shuffled_batches
from collab.runs.errors import measure
from tests.estimators.support import CHAPTER, CPU, generator

ALL = pytest.mark.parametrize("name", CHAPTER)
LEARNING = {"batch_size": 8, "epochs": 2, "lr_max": 0.02}
BIASED = CHAPTER["dot_product_bias_wd"]


def tenfold(dataset: Dataset) -> Rows:
    """The training rows ten times over, so that an epoch is long enough to learn in."""
    rows = dataset.train()
    return rows.take(torch.arange(len(rows)).repeat(10))


def trained(
    estimator: Sgd, dataset: Dataset, seed: int = 1, train: Rows | None = None
) -> tuple[Tensor, list[float]]:
    """Predictions of the validation rows, and the loss of every epoch."""
    losses = []
    for fitted in estimator.fit(train or dataset.train(), Context.of(dataset, seed, CPU)):
        losses.append(fitted.train_loss)
    return fitted.predict(dataset.valid()), losses


@ALL
def test_it_learns_the_parity(name: str, planted_dataset: Dataset) -> None:
    sgd = CHAPTER[name].but(**LEARNING)
    predicted, losses = trained(sgd, planted_dataset, train=tenfold(planted_dataset))
    assert len(losses) == 2
    assert losses[1] < losses[0] / 2
    valid = planted_dataset.valid()
    mean = torch.full_like(predicted, planted_dataset.mean)
    found, of_mean = measure(predicted, valid.ratings), measure(mean, valid.ratings)
    assert found
    assert of_mean
    assert found.mse < of_mean.mse / 4
    loved = valid.ratings == 5
    assert float(predicted[loved].min()) > float(predicted[~loved].max())


@ALL
def test_the_loss_falls_within_the_first_epoch(name: str, planted_dataset: Dataset) -> None:
    train = tenfold(planted_dataset)
    one = CHAPTER[name].but(batch_size=8, epochs=1, lr_max=0.02)
    model = one.build(len(planted_dataset.users), len(planted_dataset.items), generator())
    gradient = one.make_gradient(model, train, 8)
    step = make_step(gradient, one, len(train) // 8, capture=False)
    blocks = shuffled_batches(gradient, train, 8, generator())
    losses = run_steps(step, blocks, 0).tolist()
    quarter = len(losses) // 4
    assert sum(losses[-quarter:]) < sum(losses[:quarter]) / 2


@ALL
def test_the_same_seed_gives_the_same_bits(name: str, planted_dataset: Dataset) -> None:
    quick = CHAPTER[name].but(batch_size=8, epochs=1)
    first, again, other = (trained(quick, planted_dataset, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 2},
        {"batch_size": 16},
        {"batch_share": 1.0},
        {"lr_max": 6e-3},
        {"div": 20.0},
        {"div_final": 10.0},
        {"pct_start": 0.5},
        {"momentum": (0.9, 0.85, 0.95)},
        {"momentum": (0.95, 0.8, 0.95)},
        {"momentum": (0.95, 0.85, 0.8)},
        {"beta2": 0.9},
        {"eps": 1e-2},
        {"row_eps": 1e-2},
        {"wd": 1.0},
        {"arguments": {"n_factors": 40, "y_range": (0, 5.5)}},
        {"arguments": {"n_factors": 50, "y_range": (0, 6)}},
        {"arguments": {"n_factors": 50, "y_range": (0, 5.5), "plain": True}},
        {"arguments": {"n_factors": 50, "y_range": (0, 5.5), "factors_first": True}},
    ],
    ids=str,
)
def test_every_setting_changes_the_result(
    change: dict[str, object], planted_dataset: Dataset
) -> None:
    base = BIASED.but(epochs=3, batch_size=8)
    first, other = (trained(sgd, planted_dataset)[0] for sgd in (base, base.but(**change)))
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("collab_nn", {"n_hidden": 99, "y_range": (0, 5.5)}),
        ("embedding_nn", {"layers": (100, 49), "y_range": (0, 5.5)}),
    ],
)
def test_settings_of_the_nets_change_the_result(
    name: str, change: dict[str, object], planted_dataset: Dataset
) -> None:
    base = CHAPTER[name].but(epochs=1, batch_size=8)
    first, other = (trained(sgd, planted_dataset)[0] for sgd in (base, base.but(arguments=change)))
    assert not torch.equal(first, other)


def test_a_loss_that_is_not_finite_stops_with_epoch_and_rate(planted_dataset: Dataset) -> None:
    train = planted_dataset.train()
    bad = train.ratings.clone()
    bad[3] = float("nan")
    sgd = BIASED.but(batch_size=len(train))
    with pytest.raises(CollabError, match=r"loss became nan in epoch 1, step 1, .* 2\.00e-04"):
        list(sgd.fit(replace(train, ratings=bad), Context.of(planted_dataset, 1, CPU)))


def test_a_batch_larger_than_the_data_is_one_step(planted_dataset: Dataset) -> None:
    _, losses = trained(BIASED.but(batch_size=10**6, epochs=1), planted_dataset)
    assert losses[0] > 0


def test_errors_by_hand() -> None:
    errors = measure(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 4.0]))
    assert errors
    assert (errors.mse, errors.mae) == (2.0, 1.0)
    assert errors.rmse == pytest.approx(2**0.5)
    assert measure(torch.empty(0), torch.empty(0)) is None
