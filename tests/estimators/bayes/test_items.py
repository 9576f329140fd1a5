"""The item-based model that a pair may be blended with."""

from pathlib import Path

import pytest
import torch

from collab.dataset.rows import grouped
from collab.estimators.bayes import BayesianPair, items
from collab.estimators.bayes.items import ItemModel, laid_out, weights_of
from tests.estimators.bayes.planted import checkered, context, rows_of

BLENDED = BayesianPair(
    n_factors=2, gaussian_factors=2, sweeps=30, burn_in=20, thin=5, trees=0, item_share=0.25
)


def test_weights_and_prediction_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two users deviate on items 0 and 1 alike, by 1; nobody rated item 2."""
    monkeypatch.setattr(items, "BOTH", 2.0)
    rows = {
        "users": torch.tensor([1, 1, 2, 2, 3]),
        "places": torch.tensor([0, 1, 0, 1, 0]),
        "beyond": torch.tensor([1.0, 1.0, -1.0, -1.0, 1.0]),
    }
    weights = weights_of(rows, 3, 4)
    assert weights[0, 1] == pytest.approx(0.5**1.5)  # 2 / (2 + 2)
    assert weights.count_nonzero() == 2
    flat = {"mean": torch.tensor([3.0]), "user_bias": torch.zeros(4), "item_bias": torch.zeros(4)}
    place = torch.tensor([-1, 0, 1, 2])
    model = ItemModel(tables={**flat, **rows, "place": place, "weights": weights})
    asked = rows_of(torch.tensor([3, 3, 0, 3]), torch.tensor([2, 3, 2, 0]), torch.ones(4))
    share = 0.5**1.5 / (0.5**1.5 + 0.3)
    assert model.predict(asked).tolist() == pytest.approx([3 + share, 3, 3, 3])


def test_users_without_ratings_are_empty_rows() -> None:
    rows = {
        "users": torch.tensor([2, 2, 5]),
        "places": torch.tensor([1, 0, 1]),
        "beyond": torch.tensor([0.5, -0.5, 2.0]),
    }
    beyond, there = laid_out(rows, torch.tensor([0, 2, 4, 5]), 2)
    assert beyond.tolist() == [[0, 0], [-0.5, 0.5], [0, 0], [0, 2]]
    assert there.tolist() == [[0, 0], [1, 1], [0, 0], [0, 1]]


def test_the_planted_board_is_found_in_whatever_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    train, held = checkered()
    whole = ItemModel.of(train, (60, 40)).predict(held)
    monkeypatch.setattr(items, "USERS", 7)
    parts = ItemModel.of(train, (60, 40)).predict(held)
    assert torch.allclose(whole, parts, atol=1e-5)
    of_means = (held.ratings - held.ratings.mean()).square().mean()
    assert float((whole - held.ratings).square().mean()) < 0.8 * float(of_means)


def test_rarely_rated_items_keep_to_the_means(monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = checkered()
    monkeypatch.setattr(items, "MOST", 10)
    model = ItemModel.of(train, (60, 40))
    assert model.tables["weights"].shape == (10, 10)
    counts = torch.bincount(train.items, minlength=40)
    rare = counts.argsort()[1]
    (found,) = model.predict(rows_of(torch.tensor([5]), rare[None], torch.ones(1))).tolist()
    tables = model.tables
    means = tables["mean"] + tables["user_bias"][5] + tables["item_bias"][rare]
    assert found == pytest.approx(float(means))


def test_the_last_pair_is_blended_and_saved(tmp_path: Path) -> None:
    train, held = checkered()
    first, last = BLENDED.fit(train, context(60, 40))
    assert first.items is None
    assert last.items is not None
    whole, alone = last.predict(held), last.items[0].predict(held)
    last.save(tmp_path)
    assert torch.equal(BLENDED.load(tmp_path).predict(held), whole)
    last.items = None
    wanted = (0.75 * last.predict(held) + 0.25 * alone).clamp(1, 5)
    assert torch.allclose(whole, wanted, atol=1e-5)


def test_ratings_of_other_rows_are_not_needed() -> None:
    train, held = checkered()
    model = ItemModel.of(grouped(train, 60, 40), (60, 40))
    flipped = rows_of(held.users, held.items, held.ratings.flip(0))
    assert torch.equal(model.predict(held), model.predict(flipped))
    one = held.take(slice(3, 4))
    assert torch.allclose(model.predict(one), model.predict(held)[3:4], atol=1e-6)
