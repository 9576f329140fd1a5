"""Pairs of chains, the features of the second stage, and its trees."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from collab.base.errors import CollabError
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import HasFactors, HasUncertainty
from collab.estimators.bayes import BayesianPair, BayesianPairTime
from collab.estimators.bayes.block import Array, Block
from collab.estimators.bayes.neighbors import Neighbors
from collab.estimators.bayes.pair import PairModel
from collab.estimators.bayes.stage2 import Boosting, Trees, boosting_regressor
from tests.estimators.bayes.planted import checkered, context, features, planted, rows_of

HERE = context(60, 40)
PAIR = BayesianPair(n_factors=3, gaussian_factors=3, sweeps=40, burn_in=20, thin=10, trees=10)
PAIR_TIME = BayesianPairTime(
    n_factors=3, gaussian_factors=3, sweeps=40, burn_in=20, thin=10, trees=10
)


@pytest.fixture(scope="module")
def board() -> tuple[Rows, Rows]:
    return checkered()


@pytest.fixture(scope="module")
def models(board: tuple[Rows, Rows]) -> list[PairModel]:
    return list(PAIR.fit(board[0], HERE))


def table(train: Rows, rows: Rows) -> Array:
    return Neighbors.of(train, features(60, 40), (60, 40)).features(rows, time=True)


def test_a_training_row_never_sees_its_own_rating() -> None:
    """Whatever it is changed to, its features stay; those of others do not."""
    train = grouped(planted(share=0.3), 60, 40)
    before = table(train, train)
    for row in range(0, len(train), 97):
        stars = train.ratings.clone()
        stars[row] = 6 - stars[row] if stars[row] != 3 else 5
        after = table(replace(train, ratings=stars), train)
        same = np.isclose(before, after, rtol=0, atol=1e-6, equal_nan=True)
        changed = np.flatnonzero(~np.all(same, axis=1))
        assert row not in changed
        assert len(changed) > 5


def test_validation_ratings_are_not_looked_at(board: tuple[Rows, Rows]) -> None:
    shuffled = replace(board[1], ratings=board[1].ratings.flip(0))
    assert np.array_equal(table(board[0], board[1]), table(board[0], shuffled), equal_nan=True)
    one = table(board[0], board[1].take(slice(0, 1)))
    assert np.allclose(table(board[0], board[1])[:1], one, equal_nan=True, atol=1e-5)


def test_features_of_time_by_hand() -> None:
    """Four ratings of one user around a fifth at second 100, one of them in the same second."""
    stamps = np.array([40.0, 100.0, 160.0, 99000.0])
    block = Block(
        apart=np.ones((1, 4), dtype=np.float32),
        like=np.zeros((1, 4), dtype=np.float32),
        beyond=np.array([1.0, 2.0, -1.0, 0.5]),
        known=np.array([0.1, 0.2, 0.3, 0.4]),
        stamps=stamps,
        ts=np.array([100.0]),
    )
    columns = [float(column[0]) for column in block.columns(time=True)]
    assert columns[2:5] == pytest.approx([1, 2 / 2, 0.2 / 1.5])  # the same second
    near = 1 + 2 * np.exp(-1)  # within a minute, the last is too far to count
    assert columns[5:7] == pytest.approx([near, 2 / (near + 1)])
    before_after = columns[-10:]  # place 1 of 4: equals stand in the middle
    assert before_after[0:3] == pytest.approx([1, np.log1p(60), 0.1])
    assert before_after[3:6] == pytest.approx([2, 0, 0.2])
    assert np.isnan(before_after[6])
    assert before_after[7] == -1
    assert np.isnan(before_after[8])
    assert before_after[9] == 0.5


def test_trees_say_what_scikit_learn_says() -> None:
    g = np.random.default_rng(0)
    x = g.normal(size=(600, 5)).astype(np.float32)
    x[g.random(x.shape) < 0.2] = np.nan
    y = np.where(np.isnan(x[:, 0]), 1.0, x[:, 1] > 0) + 0.1 * g.normal(size=600)
    boosting = Boosting(trees=20, least=20, seeds=2)
    options = {"learning_rate": 0.03, "max_iter": 20, "max_leaf_nodes": 15, "min_samples_leaf": 20}
    more = {"l2_regularization": 10.0, "max_features": 0.5, "early_stopping": False}
    kind = boosting_regressor()
    wanted = [kind(**options, **more, random_state=14 + s).fit(x, y).predict(x) for s in (0, 1)]
    found = boosting.grow(x, y, 7).predict(x)
    assert np.allclose(found.numpy(), np.mean(wanted, 0), atol=1e-6)
    assert float(found.std()) > 0.1


def test_the_pair_is_the_mean_of_its_chains_and_the_trees_come_last(
    board: tuple[Rows, Rows], models: list[PairModel]
) -> None:
    assert len(models) == PAIR.passes == 2
    first, last = models
    mean = (first.probit.predict(board[1]) + first.gaussian.predict(board[1])) / 2
    assert first.stage2 is None
    assert torch.allclose(first.predict(board[1]), mean)
    assert last.stage2 is not None
    assert float((last.predict(board[1]) - board[1].ratings).square().mean()) < 0.7
    assert not isinstance(last, HasFactors)
    assert isinstance(last, HasUncertainty)
    assert float(last.spread(board[1]).mean()) == pytest.approx(0.75, abs=0.2)
    assert torch.allclose(last.probabilities(board[1]).sum(1), torch.ones(len(board[1])))


@pytest.mark.parametrize("estimator", [PAIR, PAIR_TIME])
def test_a_saved_pair_predicts_the_same(
    board: tuple[Rows, Rows], estimator: BayesianPair, tmp_path: Path
) -> None:
    made = list(estimator.fit(board[0], HERE))[-1]
    made.save(tmp_path)
    again = estimator.load(tmp_path)
    assert torch.equal(again.predict(board[1]), made.predict(board[1]))
    assert torch.equal(again.spread(board[1]), made.spread(board[1]))
    kinds = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert kinds == {".json", ".safetensors"}


def test_a_pair_predicts_users_and_items_it_never_saw(models: list[PairModel]) -> None:
    rows = rows_of(torch.tensor([0, 59, 3, 0]), torch.tensor([5, 5, 39, 0]), torch.ones(4))
    stars = models[-1].predict(rows)
    assert bool(((stars >= 1) & (stars <= 5)).all())


def test_the_same_seed_grows_the_same_pair(
    board: tuple[Rows, Rows], models: list[PairModel]
) -> None:
    again = list(PAIR.fit(board[0], HERE))[-1]
    assert torch.equal(again.predict(board[1]), models[-1].predict(board[1]))


def test_without_scikit_learn_one_is_told_so(
    board: tuple[Rows, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(CollabError, match="scikit-learn"):
        next(PAIR.fit(board[0], HERE))
    models = list(replace(PAIR, trees=0).fit(board[0], HERE))
    assert models[-1].stage2 is None


def test_pairs_of_several_seeds_merge_and_so_do_their_trees(
    board: tuple[Rows, Rows], models: list[PairModel], tmp_path: Path
) -> None:
    other = list(PAIR.fit(board[0], replace(HERE, seed=1)))[-1]
    both = PAIR.merge([models[-1], other])
    mean = (models[-1].predict(board[1]) + other.predict(board[1])) / 2
    assert float((both.predict(board[1]) - mean).abs().mean()) < 0.03  # columns are cut once more
    assert both.stage2
    first = both.probit.predict(board[1])
    parts = [one.stage2.correction(board[1], first) for one in (models[-1], other) if one.stage2]
    assert torch.allclose(
        both.stage2.correction(board[1], first), (parts[0] + parts[1]) / 2, atol=1e-5
    )
    both.save(tmp_path)
    assert torch.equal(PAIR.load(tmp_path).predict(board[1]), both.predict(board[1]))


def test_trees_of_unlike_sizes_have_one_mean() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    grown = [
        Boosting(trees=3, leaves=leaves, least=5, seeds=1).grow(x, x[:, 0] * x[:, 1], leaves)
        for leaves in (3, 9)
    ]
    mean = (grown[0].predict(x) + grown[1].predict(x)) / 2
    assert torch.allclose(Trees.mean(grown).predict(x), mean, atol=1e-6)


def test_a_resumed_pair_yields_the_models_of_one_that_was_not_interrupted(
    board: tuple[Rows, Rows], models: list[PairModel]
) -> None:
    first, second = PAIR.start(board[0], HERE), PAIR.start(board[0], HERE)
    for old, new in zip(first, second, strict=True):
        for _ in range(27):  # within a pass
            old.sweep()
        new.restore(old.state())
    rest = list(PAIR.models(second, HERE))
    assert torch.equal(rest[-1].predict(board[1]), models[-1].predict(board[1]))
    assert torch.equal(rest[-1].spread(board[1]), models[-1].spread(board[1]))
