"""Bias, similarity and components, worked out by hand."""

import numpy as np
import pytest

from collab.errors import CollabError
from collab.publish import interpret
from collab.publish.interpret import (
    Factors,
    bias_table,
    has_parts,
    pca_table,
    require_interpretable,
    similarity_table,
)
from collab.training.recipes import VARIANTS


def factors(rows: list[list[float]], bias: list[float] | None = None) -> Factors:
    """Items 10, 20, 30, ... with these factors."""
    ids = np.arange(1, len(rows) + 1, dtype=np.int32) * 10
    values = np.array(bias or [0.0] * len(rows), dtype=np.float32)
    return Factors(ids=ids, factors=np.array(rows, dtype=np.float32), bias=values)


def test_bias_is_ranked_from_the_highest() -> None:
    table = bias_table(factors([[1.0]] * 3, [0.5, -1.0, 2.0]), "item_id")
    assert table["item_id"].tolist() == [30, 10, 20]
    assert table["bias"].tolist() == [2.0, 0.5, -1.0]
    assert table["rank"].tolist() == [1, 2, 3]


def test_cosines_by_hand() -> None:
    # angles to item 10: 45 degrees, 90, 180; length does not matter
    found = factors([[1, 0], [5, 5], [0, 2], [-3, 0]])
    table = similarity_table(found, k=3)
    mine = table[table["item_id"] == 10]
    assert mine["neighbor_id"].tolist() == [20, 30, 40]
    assert mine["cosine"].tolist() == pytest.approx([2**-0.5, 0, -1], abs=1e-6)
    assert mine["rank"].tolist() == [1, 2, 3]
    assert (table["item_id"] != table["neighbor_id"]).all()


def test_blocks_give_what_the_whole_matrix_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(1).normal(size=(50, 4)).tolist()
    whole = similarity_table(factors(rows), k=5)
    monkeypatch.setattr(interpret, "BLOCK", 7)
    blocks = similarity_table(factors(rows), k=5)
    assert blocks["neighbor_id"].tolist() == whole["neighbor_id"].tolist()
    unit = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = unit @ unit.T - 2 * np.eye(50)
    assert whole["cosine"].tolist() == pytest.approx((-np.sort(-cosines)[:, :5]).ravel(), abs=1e-5)


def test_fewer_items_than_neighbours() -> None:
    assert len(similarity_table(factors([[1, 0], [0, 1], [1, 1]]))) == 6


def test_components_find_the_direction_planted() -> None:
    # points on a line along (3, 4), in the order 0, 1, 2, 3
    table = pca_table(factors([[3 * t, 4 * t] for t in range(4)]), np.array([10, 20, 30, 40]))
    assert table["pc1"].tolist() == pytest.approx([-7.5, -2.5, 2.5, 7.5], abs=1e-5)
    assert table["pc2"].tolist() == pytest.approx([0] * 4, abs=1e-5)
    assert table["pc3"].tolist() == [0] * 4


def test_components_leave_out_items_that_training_never_saw() -> None:
    table = pca_table(factors([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), np.array([30, 99, 10]))
    assert table["item_id"].tolist() == [30, 10]


def test_which_models_have_the_parts() -> None:
    assert has_parts(["user_factors", "user_bias", "item_factors.weight", "item_bias.weight"])
    assert not has_parts(["user_factors.weight", "item_factors.weight"])
    require_interpretable(list(VARIANTS.values()))
    with pytest.raises(CollabError, match="collab_nn, embedding_nn has biases"):
        require_interpretable([VARIANTS["collab_nn"], VARIANTS["embedding_nn"]])
