"""Bias and components, worked out by hand."""

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from collab.base.errors import CollabError
from collab.estimators.api import Factors
from collab.evaluation.standings import evaluate
from collab.release.interpret import bias_table, centred, load_model, pca_table
from tests.release.planted import Published
from tests.release.tiny import factors


def test_bias_is_ranked_from_the_highest() -> None:
    table = bias_table(factors([[1.0]] * 3, [0.5, -1.0, 2.0]), "item_id")
    assert table["item_id"].tolist() == [30, 10, 20]
    assert table["bias"].tolist() == [2.0, 0.5, -1.0]
    assert table["rank"].tolist() == [1, 2, 3]


def test_biases_are_centred_over_the_ratings_and_scores_stay() -> None:
    # three ratings of item 1, one of item 2; 0 is the unknown
    found = Factors(
        mean=3.0,
        user_factors=torch.tensor([[1.0], [2.0]]),
        item_factors=torch.tensor([[0.0], [1.0], [-1.0]]),
        user_bias=torch.tensor([0.0, 0.5]),
        item_bias=torch.tensor([0.0, 1.0, -1.0]),
    )
    moved = centred(found, torch.tensor([1, 1, 2, 1]))
    assert moved.mean == 3.5  # (3 * 1 - 1) / 4
    assert moved.item_bias.tolist() == [-0.5, 0.5, -1.5]
    users, items = torch.tensor([0, 0, 0, 1, 1, 1]), torch.tensor([0, 1, 2] * 2)
    torch.testing.assert_close(moved.predict(users, items), found.predict(users, items))


def test_components_find_the_direction_planted() -> None:
    # points on a line along (3, 4), in the order 0, 1, 2, 3
    table, shares = pca_table(
        factors([[3 * t, 4 * t] for t in range(4)]), np.array([10, 20, 30, 40])
    )
    assert table["pc1"].tolist() == pytest.approx([-7.5, -2.5, 2.5, 7.5], abs=1e-5)
    assert table["pc2"].tolist() == pytest.approx([0] * 4, abs=1e-5)
    assert table["pc3"].tolist() == [0] * 4
    assert shares.tolist() == pytest.approx([1, 0])  # nothing varies across the line


def test_components_leave_out_items_that_training_never_saw() -> None:
    table, shares = pca_table(factors([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), np.array([30, 99, 10]))
    assert table["item_id"].tolist() == [30, 10]
    assert shares[0] == pytest.approx(1)


def test_without_factors_and_biases_there_is_nothing_to_publish(published: Published) -> None:
    champion, network = published.runs
    assert champion.record.supplies_tables
    assert not network.record.supplies_tables
    with pytest.raises(CollabError, match="None of the variants embedding_nn has factors"):
        evaluate([network])


def test_numbers_that_are_none_are_not_published(mine: Published) -> None:
    weights = mine.runs[0].folder / "model.safetensors"
    with safe_open(weights, framework="pt") as file:
        sizes = file.metadata()
    tables = load_file(weights)
    tables["item_bias"][3] = float("nan")
    save_file(tables, weights, metadata=sizes)
    with pytest.raises(CollabError, match="item_bias that are not finite; nothing was published"):
        load_model(mine.runs[0])
