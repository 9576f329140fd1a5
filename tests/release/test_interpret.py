"""Bias and components, worked out by hand."""

import numpy as np
import pytest

from collab.base.errors import CollabError
from collab.release.interpret import bias_table, has_parts, pca_table, require_interpretable
from collab.estimators.recipes import VARIANTS
from tests.release.tiny import factors


def test_bias_is_ranked_from_the_highest() -> None:
    table = bias_table(factors([[1.0]] * 3, [0.5, -1.0, 2.0]), "item_id")
    assert table["item_id"].tolist() == [30, 10, 20]
    assert table["bias"].tolist() == [2.0, 0.5, -1.0]
    assert table["rank"].tolist() == [1, 2, 3]


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
