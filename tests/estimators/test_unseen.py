"""Who was never seen is taken for the population's mean, which is better than a constant."""

import random
from dataclasses import replace

import pytest
import torch

from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.recipes import RECIPES
from collab.estimators.sgd import estimator
from collab.estimators.sgd.estimator import Sgd
from collab.estimators.sgd.unseen import count_rows, fill_unseen
from tests.estimators.support import context, last, quick, rows_of, unknown_rows

MANY, ONCE, ITEMS = 30, 400, 40  # users of many ratings, users of one, items
SIZES = (MANY + ONCE + 1, ITEMS + 1)
# enough of a descent for a thousand rows
LEARNT = {"epochs": 12, "batch_size": 32, "wd": 0.01, "lr_max": 0.02}
KINDS = [
    "dot_product_sigmoid", "dot_product_bias_wd", "lazy_dot_product_bias_wd", "collab_nn",
    "embedding_nn", "cross_entropy", "bias_only", "als", "bayesian_mf", "bayesian_mf_ordinal",
]  # fmt: skip


def stars(draw: random.Random, item: int, taste: float) -> float:
    """A rating around 3.5: the item's part is known by its number."""
    return float(min(5, max(1, round(3.5 + 0.05 * (item - ITEMS / 2) + draw.gauss(taste, 0.6)))))


def planted() -> tuple[Rows, Rows]:
    """Training rows of a few users of many ratings and many of one; and rows of users unknown."""
    draw = random.Random(1)  # noqa: S311
    rows = [
        (user, item, stars(draw, item, (user % 5 - 2) / 5))
        for user in range(1, MANY + 1)
        for item in range(1, ITEMS + 1)
        if draw.random() < 0.5
    ]
    for user in range(MANY + 1, SIZES[0]):
        item = draw.randint(1, ITEMS)
        rows.append((user, item, stars(draw, item, 0)))
    items = torch.tensor([draw.randint(1, ITEMS) for _ in range(400)])
    cold = Rows(
        users=torch.zeros_like(items),
        items=items,
        ratings=torch.tensor([stars(draw, int(item), 0) for item in items]),
        ts=torch.zeros_like(items),
    )
    return rows_of(rows, *SIZES), cold


def where() -> Context:
    return context(*SIZES)


def mse(predicted: torch.Tensor, rows: Rows) -> float:
    return float((predicted - rows.ratings).square().mean())


@pytest.mark.parametrize("name", KINDS)
def test_an_unknown_user_is_better_off_than_with_a_constant(name: str) -> None:
    train, cold = planted()
    one = RECIPES[name].estimator
    fitted = last(one.but(**LEARNT) if isinstance(one, Sgd) else quick(one), train, where())
    constant = mse(train.ratings.mean().expand(len(cold)), cold)
    assert mse(fitted.predict(cold), cold) < 0.9 * constant
    # items differ more than users do, and an unknown one is of the mean
    item = replace(cold, users=cold.items.clamp(max=MANY), items=cold.users)
    assert abs(float(fitted.predict(item).mean() - train.ratings.mean())) < 0.3


@pytest.mark.parametrize(
    "name",
    ["dot_product", "dot_product_bias_wd", "lazy_dot_product_bias", "collab_nn", "embedding_nn",
     "cross_entropy", "side_features"],
)  # fmt: skip
def test_what_was_trained_is_not_touched(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = planted()
    one = quick(RECIPES[name].estimator)
    filled = last(one, train, where())
    monkeypatch.setattr(estimator, "fill_unseen", lambda tables, counts: None)
    bare = last(one, train, where())
    known = train.take(slice(None))
    assert torch.equal(filled.predict(known), bare.predict(known))
    unknown = unknown_rows(*SIZES).take(slice(3))
    assert not torch.equal(filled.predict(unknown), bare.predict(unknown))


def test_users_count_by_their_ratings_and_items_once() -> None:
    train = rows_of([(1, 1, 5.0), (1, 2, 4.0), (1, 3, 3.0), (3, 1, 1.0)], 5, 4)
    users, biases = (
        torch.tensor([[9.0, 9], [1, 2], [9, 9], [5, 6], [9, 9]]),
        torch.tensor([9.0] * 5),
    )
    biases[1], biases[3] = 0.0, 2.0
    items = torch.tensor([[9.0], [1], [2], [3]])
    fill_unseen(([users, biases], [items]), count_rows(train, (5, 4)))
    # three of the four ratings are of the first user, one of the third
    assert users.tolist() == [[2, 3], [1, 2], [2, 3], [5, 6], [2, 3]]
    assert biases.tolist() == [0.5, 0, 0.5, 2, 0.5]
    assert items.tolist() == [[2], [1], [2], [3]]
