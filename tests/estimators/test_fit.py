"""The training loop on planted data."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from collab.base.errors import CollabError
from collab.lake import Manifest
from collab.evaluation.errors import measure, predict
from collab.estimators.sgd.fit import Epoch, fit, make_gradient, make_step, run_steps, shuffled_batches
from collab.dataset.interactions import Interactions, encode, load_ratings
from collab.estimators.sgd.recipe import Recipe
from collab.estimators.recipes import COLLAB_NN, DOT_PRODUCT_BIAS_WD, EMBEDDING_NN, FAITHFUL
from collab.dataset.split import random_split
from collab.dataset.vocabulary import Vocabulary

CPU = torch.device("cpu")
ALL = pytest.mark.parametrize("recipe", FAITHFUL.values(), ids=lambda r: r.name)
QUICK = {"batch_size": 8, "epochs": 12, "lr_max": 0.02}


@pytest.fixture(scope="module")
def rows(planted_lake: Manifest) -> tuple[Interactions, Interactions, int, int]:
    """Training and validation rows of the planted archive, and the vocabularies' sizes."""
    ratings = load_ratings(planted_lake)
    split = random_split(len(ratings), seed=1)
    users, items = Vocabulary.of("user", ratings.user_id), Vocabulary.of("item", ratings.item_id)
    train, valid = (encode(ratings, at, users, items, CPU) for at in (split.train, split.valid))
    return train, valid, len(users), len(items)


Rows = tuple[Interactions, Interactions, int, int]


def trained(recipe: Recipe, rows: Rows, seed: int = 1) -> tuple[Tensor, list[Epoch]]:
    train, valid, n_users, n_items = rows
    model = recipe.build(n_users, n_items, torch.Generator().manual_seed(seed))
    history = list(fit(model, train, recipe, generator=torch.Generator().manual_seed(seed)))
    return predict(model, valid), history


@ALL
def test_the_training_loss_falls(recipe: Recipe, rows: Rows) -> None:
    _, history = trained(recipe.but(**QUICK), rows)
    assert [epoch.number for epoch in history] == list(range(1, 13))
    assert history[0].loss > history[1].loss
    assert history[-1].loss < history[0].loss / 2


@ALL
def test_the_loss_falls_within_the_first_epoch(recipe: Recipe, rows: Rows) -> None:
    train, _, n_users, n_items = rows
    one = recipe.but(batch_size=8, epochs=1, lr_max=0.05)
    model = one.build(n_users, n_items, torch.Generator().manual_seed(1))
    gradient = make_gradient(model, 8)
    step = make_step(gradient, one, len(train) // 8, capture=False)
    blocks = shuffled_batches(gradient, train, 8, torch.Generator().manual_seed(1))
    losses = run_steps(step, blocks, 0).tolist()
    quarter = len(losses) // 4
    assert sum(losses[-quarter:]) < sum(losses[:quarter])


@ALL
def test_every_model_beats_the_mean_and_learns_the_parity(recipe: Recipe, rows: Rows) -> None:
    predicted, _ = trained(recipe.but(**QUICK), rows)
    valid = rows[1]
    mean = torch.full_like(predicted, float(rows[0].ratings.mean()))
    assert measure(predicted, valid.ratings).mse < measure(mean, valid.ratings).mse / 4
    loved = valid.ratings == 5
    assert float(predicted[loved].min()) > float(predicted[~loved].max())


@ALL
def test_the_same_seed_gives_the_same_bits(recipe: Recipe, rows: Rows) -> None:
    quick = recipe.but(batch_size=8, epochs=1)
    first, again, other = (trained(quick, rows, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 2},
        {"batch_size": 16},
        {"lr_max": 6e-3},
        {"div": 20.0},
        {"div_final": 10.0},
        {"pct_start": 0.5},
        {"momentum": (0.9, 0.85, 0.95)},
        {"momentum": (0.95, 0.8, 0.95)},
        {"momentum": (0.95, 0.85, 0.8)},
        {"beta2": 0.9},
        {"eps": 1e-2},
        {"wd": 1.0},
        {"arguments": {"n_factors": 40, "y_range": (0, 5.5)}},
        {"arguments": {"n_factors": 50, "y_range": (0, 6)}},
    ],
    ids=str,
)
def test_every_setting_changes_the_result(change: dict[str, object], rows: Rows) -> None:
    base = DOT_PRODUCT_BIAS_WD.but(epochs=3, batch_size=8)
    assert not torch.equal(trained(base, rows)[0], trained(base.but(**change), rows)[0])


def test_settings_of_the_nets_change_the_result(rows: Rows) -> None:
    for recipe, change in (
        (COLLAB_NN, {"n_hidden": 99, "y_range": (0, 5.5)}),
        (EMBEDDING_NN, {"layers": (100, 49), "y_range": (0, 5.5)}),
    ):
        base = recipe.but(epochs=1, batch_size=8)
        assert not torch.equal(trained(base, rows)[0], trained(base.but(arguments=change), rows)[0])


def test_a_loss_that_is_not_finite_stops_with_epoch_and_rate(rows: Rows) -> None:
    train, *rest = rows
    bad = train.ratings.clone()
    bad[3] = float("nan")
    recipe = DOT_PRODUCT_BIAS_WD.but(batch_size=len(train))
    with pytest.raises(CollabError, match=r"loss became nan in epoch 1, step 1, .* 2\.00e-04"):
        trained(recipe, (replace(train, ratings=bad), *rest))  # type: ignore[arg-type]


def test_a_batch_larger_than_the_data_is_one_step(rows: Rows) -> None:
    _, history = trained(DOT_PRODUCT_BIAS_WD.but(batch_size=10**6, epochs=1), rows)
    assert history[0].loss > 0


def test_errors_by_hand() -> None:
    errors = measure(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 4.0]))
    assert (errors.mse, errors.mae) == (2.0, 1.0)
    assert errors.rmse == pytest.approx(2**0.5)
