"""Every model: shapes, starting weights, and sums worked out by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from collab.estimators.sgd.dot_product import DotProduct, DotProductBias
from collab.estimators.sgd.parts import embedding, embedding_size, sigmoid_range
from tests.estimators.support import CHAPTER, generator

ALL = pytest.mark.parametrize("name", CHAPTER)


@ALL
@pytest.mark.parametrize("n", [1, 7])
def test_scores_are_one_for_each_pair(name: str, n: int) -> None:
    model = CHAPTER[name].build(20, 30, generator()).eval()
    assert model(torch.arange(n), torch.arange(n)).shape == (n,)


@ALL
def test_the_generator_alone_decides_the_weights(name: str) -> None:
    first, again, other = (
        CHAPTER[name].build(20, 30, generator(s)).state_dict() for s in (1, 1, 2)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", [name for name in CHAPTER if name != "dot_product"])
def test_a_sigmoid_range_bounds_the_scores(name: str) -> None:
    scores = enlarged(name)
    assert float(scores.min()) >= 0
    assert float(scores.max()) <= 5.5


def test_without_a_range_nothing_bounds_them() -> None:
    scores = enlarged("dot_product")
    assert float(scores.min()) < -5.5
    assert float(scores.max()) > 5.5


def enlarged(name: str) -> Tensor:
    """The scores of a model whose every weight is a thousand times what was drawn."""
    model = CHAPTER[name].build(20, 30, generator()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1e3)
    scores: Tensor = model(torch.arange(20), torch.arange(20)).detach()
    return scores


def filled(model: nn.Module, **values: Any) -> Tensor:
    """The score of user 1 and item 1 with these rows in their tables."""
    with torch.no_grad():
        for name, value in values.items():
            model.get_parameter(name)[1] = torch.tensor(value)
    score: Tensor = model(torch.tensor([1]), torch.tensor([1]))
    return score


def test_a_dot_product_by_hand() -> None:
    model = DotProduct(2, 2, generator=generator(), n_factors=2)
    score = filled(model, user_factors=[1.0, 2.0], item_factors=[3.0, -1.0])
    assert score.item() == pytest.approx(1.0)


def test_biases_and_range_by_hand() -> None:
    model = DotProductBias(2, 2, generator=generator(), n_factors=2)
    parts = {"user_factors": [1.0, 2.0], "item_factors": [3.0, -1.0]}
    score = filled(model, **parts, user_bias=0.25, item_bias=-1.25)
    assert score.item() == pytest.approx(5.5 / 2)  # 1 + 0.25 - 1.25 = 0, the middle of the range


def test_the_sigmoid_range_by_hand() -> None:
    assert sigmoid_range(torch.tensor(0.0), 1, 5).item() == pytest.approx(3.0)
    assert sigmoid_range(torch.tensor(1.0).log(), 0, 5.5).item() == pytest.approx(2.75)
    assert sigmoid_range(torch.tensor(3.0).log(), 0, 4).item() == pytest.approx(3.0)


def test_embedding_widths_follow_the_rule() -> None:
    # the book's own: 944 users -> 74, 1,635 titles -> 101
    assert [embedding_size(n) for n in (944, 1635, 10, 10**6)] == [74, 101, 6, 600]


def test_embeddings_are_truncated_at_two_deviations() -> None:
    weight = embedding(2000, 50, generator()).weight.detach()
    assert float(weight.abs().max()) <= 0.02
    # a normal cut at two deviations keeps 0.8796 of its deviation
    assert float(weight.std()) == pytest.approx(0.01 * 0.8796, rel=0.02)


def test_parameters_of_our_own_are_not_truncated() -> None:
    model = CHAPTER["dot_product_bias_params"].build(2000, 2000, generator())
    weight = model.get_parameter("user_factors").detach()
    assert float(weight.abs().max()) > 0.02
    assert float(weight.std()) == pytest.approx(0.01, rel=0.02)
