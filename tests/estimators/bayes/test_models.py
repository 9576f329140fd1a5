"""What a fitted model does, on a planted checker board."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from collab.base.errors import CollabError
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import HasFactors, HasUncertainty
from collab.estimators.bayes import BayesianMF, BayesianOrdinal, BayesianTime
from collab.estimators.bayes.models import FactorModel, SampledModel
from collab.estimators.bayes.moments import merge
from collab.estimators.bayes.ordinal import OrdinalModel
from collab.estimators.fold_in import FoldsIn
from collab.estimators.record import from_record, to_record
from tests.estimators.bayes.planted import checkered, context, planted, rows_of

SHORT = BayesianMF(n_factors=3, sweeps=60, burn_in=20, thin=4, columns=20)
ORDINAL = BayesianOrdinal(n_factors=3, sweeps=60, burn_in=20, thin=4)
TIME = BayesianTime(n_factors=3, sweeps=60, burn_in=20, thin=4)
HERE = context(60, 40)


@pytest.fixture(scope="module")
def board() -> tuple[Rows, Rows]:
    return checkered()


@pytest.fixture(scope="module")
def model(board: tuple[Rows, Rows]) -> FactorModel:
    return list(SHORT.fit(board[0], HERE))[-1]


@pytest.fixture(scope="module")
def ordinal(board: tuple[Rows, Rows]) -> OrdinalModel:
    return list(ORDINAL.fit(board[0], HERE))[-1]


def mse(model: SampledModel | Tensor, rows: Rows) -> float:
    stars = model if isinstance(model, Tensor) else model.predict(rows)
    return float((stars - rows.ratings).square().mean())


def every_pair() -> Rows:
    users, items = torch.cartesian_prod(torch.arange(60), torch.arange(40)).unbind(1)
    return rows_of(users, items, torch.ones(len(users)))


def test_each_pass_yields_a_model_that_can_be_used(board: tuple[Rows, Rows]) -> None:
    models = list(SHORT.fit(board[0], HERE))
    assert len(models) == SHORT.passes == 10
    for made in models:
        stars = made.predict(board[1])
        assert stars.shape == (len(board[1]),)
        assert bool(((stars >= 1) & (stars <= 5)).all())
    assert all(0 < made.train_loss < 1 for made in models)
    assert [made.moments.n for made in models] == list(range(4, 44, 4))


def test_the_planted_board_is_found(board: tuple[Rows, Rows], model: FactorModel) -> None:
    """Noise of 0.6 stars, rounded, leaves 0.44; who knows no taste is off by 0.64 more."""
    assert mse(model, board[1]) < 0.6
    pairs = every_pair()
    known = (pairs.users > 0) & (pairs.users < 59) & (pairs.items > 0) & (pairs.items < 39)
    same = (pairs.users + pairs.items) % 2 == 0
    stars = model.predict(pairs)
    assert float(stars[known & same].mean() - stars[known & ~same].mean()) > 1.2


def test_items_of_one_parity_are_neighbours_in_every_draw(model: FactorModel) -> None:
    """In the users' metric, by the mean cosine over the draws."""
    total = torch.zeros(40, 40)
    for draw in model.samples():
        metric = torch.linalg.cholesky(draw.user_factors.mT @ draw.user_factors / 60)
        rows = torch.nn.functional.normalize(draw.item_factors @ metric, dim=1)
        total += rows @ rows.mT
    total = total[1:39, 1:39].fill_diagonal_(-torch.inf)
    nearest = total.argmax(1)
    assert bool((nearest % 2 == torch.arange(38) % 2).all())


def test_the_tables_are_the_predictions(board: tuple[Rows, Rows], model: FactorModel) -> None:
    assert isinstance(model, HasFactors)
    tables = model.factors()
    assert torch.equal(tables.predict(board[1].users, board[1].items), model.predict(board[1]))
    exact = model.score(board[1]).clamp(1, 5)  # taste effects looked up one by one
    assert abs(mse(model, board[1]) - mse(exact, board[1])) < 0.005


def test_all_columns_hold_the_model(board: tuple[Rows, Rows]) -> None:
    wide = list(replace(SHORT, columns=60).fit(board[0], HERE))[-1]
    exact = wide.score(board[1]).clamp(1, 5)
    assert float((wide.predict(board[1]) - exact).abs().max()) < 0.01


@pytest.mark.parametrize("estimator", [SHORT, ORDINAL, TIME])
def test_a_saved_model_predicts_the_same(
    board: tuple[Rows, Rows], estimator: BayesianMF | BayesianOrdinal, tmp_path: Path
) -> None:
    made = list(estimator.fit(board[0], HERE))[-1]
    made.save(tmp_path)
    again = estimator.load(tmp_path)
    assert torch.equal(again.predict(board[1]), made.predict(board[1]))
    assert torch.equal(again.spread(board[1]), made.spread(board[1]))
    assert (again.train_loss, again.n_parameters) == (made.train_loss, made.n_parameters)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    assert from_record(to_record(estimator)) == estimator


def test_a_resumed_fit_yields_the_models_of_one_that_was_not_interrupted(
    board: tuple[Rows, Rows], model: FactorModel, tmp_path: Path
) -> None:
    first = SHORT.start(board[0], HERE)
    for _ in range(31):  # within a pass
        first.sweep()
    save_file(first.state(), tmp_path / "chain.safetensors")
    second = SHORT.start(board[0], HERE)
    second.restore(load_file(tmp_path / "chain.safetensors"))
    rest = list(SHORT.models(second))
    assert torch.equal(rest[-1].predict(board[1]), model.predict(board[1]))
    assert torch.equal(rest[-1].spread(board[1]), model.spread(board[1]))


def test_the_same_seed_gives_the_same_model(board: tuple[Rows, Rows], model: FactorModel) -> None:
    again = list(SHORT.fit(board[0], HERE))[-1]
    other = list(SHORT.fit(board[0], replace(HERE, seed=1)))[-1]
    assert torch.equal(again.predict(board[1]), model.predict(board[1]))
    assert not torch.equal(other.predict(board[1]), model.predict(board[1]))


def test_chains_of_several_seeds_merge_into_one(board: tuple[Rows, Rows]) -> None:
    parts = [list(SHORT.fit(board[0], replace(HERE, seed=s)))[-1].moments for s in (0, 1)]
    both = merge(parts, 40)
    mean = (parts[0].score(board[1]) + parts[1].score(board[1])) / 2
    assert both.n == 80
    assert len(both.draws) == 20
    assert torch.allclose(both.score(board[1]), mean, atol=1e-3)


@pytest.mark.parametrize("estimator", [SHORT, ORDINAL, TIME])
def test_unknown_and_cold_rows_get_sensible_predictions(
    board: tuple[Rows, Rows], estimator: BayesianMF | BayesianOrdinal
) -> None:
    """Of an unknown user, a new one, a new item, and nothing; the new ones' parity is known."""
    train = board[0]
    model = list(estimator.fit(train, HERE))[-1]
    rows = rows_of(torch.tensor([0, 59, 3, 0]), torch.tensor([5, 5, 39, 0]), torch.ones(4))
    stars, spread = model.predict(rows), model.spread(rows)
    means = [train.ratings[train.items == 5].mean(), train.ratings[train.users == 3].mean()]
    assert float(stars[0]) == pytest.approx(float(means[0]), abs=0.5)
    assert float(means[0]) + 0.3 < float(stars[1]) < 5  # an odd user loves the odd item
    assert float(means[1]) + 0.3 < float(stars[2]) < 5
    assert float(stars[3]) == pytest.approx(float(train.ratings.mean()), abs=0.5)
    known = model.spread(train.take(slice(0, 200)))
    assert float(spread.min()) > float(known.mean())


def test_it_works_without_anything_known_of_the_users(board: tuple[Rows, Rows]) -> None:
    bare = context(60, 40, with_users=False)
    assert mse(list(SHORT.fit(board[0], bare))[-1], board[1]) < 0.65


def test_a_user_who_is_folded_in_is_predicted_like_one_who_was_there(
    board: tuple[Rows, Rows], model: FactorModel
) -> None:
    assert isinstance(model, FoldsIn)
    train, tables = board[0], model.factors()
    for user in (3, 4, 30, 51):
        own = train.users == user
        folded = model.fold_in(train.items[own], train.ratings[own])
        stars = tables.mean + folded.bias + tables.item_bias + tables.item_factors @ folded.factors
        there = model.predict(rows_of(torch.full((40,), user), torch.arange(40), torch.ones(40)))
        assert float((stars.clamp(1, 5) - there)[1:39].abs().mean()) < 0.35


def test_who_gave_nothing_is_folded_in_as_the_mean_of_all(model: FactorModel) -> None:
    folded = model.fold_in(torch.zeros(0, dtype=torch.long), torch.zeros(0))
    assert torch.allclose(folded.factors, model.factors().user_factors[1:59].mean(0), atol=1e-4)


def test_intervals_cover_as_often_as_they_say() -> None:
    """Planted taste, biases and noise: nominal 50, 80, 90 and 95% within the sampling error."""
    train, valid = checkered(120, 80, seed=3)
    here = context(120, 80)
    model = list(replace(SHORT, sweeps=120, burn_in=40).fit(train, here))[-1]
    assert isinstance(model, HasUncertainty)
    off = (model.predict(valid) - valid.ratings).abs() / model.spread(valid)
    for share, width in ((0.5, 0.674), (0.8, 1.282), (0.9, 1.645), (0.95, 1.96)):
        assert float((off < width).float().mean()) == pytest.approx(share, abs=0.05)


def test_class_probabilities_are_calibrated(
    board: tuple[Rows, Rows], ordinal: OrdinalModel
) -> None:
    mass = ordinal.probabilities(board[1])
    assert torch.allclose(mass.sum(1), torch.ones(len(mass)), atol=1e-5)
    assert ordinal.levels.tolist() == [1, 2, 3, 4, 5]
    shares = torch.stack([board[1].ratings == level for level in range(1, 6)], 1).float()
    error = (mass * (1 - mass)).sum(0).sqrt() / len(mass)  # of a share, were they right
    assert float(((mass.mean(0) - shares.mean(0)) / error).abs().max()) < 4
    own = mass.gather(1, (board[1].ratings.long() - 1)[:, None])
    plain = shares.mean(0)[board[1].ratings.long() - 1]
    assert float(own.log().mean()) > float(plain.log().mean()) + 0.3
    assert torch.allclose(mass @ ordinal.levels, ordinal.predict(board[1]))
    assert not isinstance(ordinal, HasFactors)


def test_half_stars_and_missing_levels_are_classes_too() -> None:
    rows = planted()
    half = replace(rows, ratings=torch.where(rows.ratings == 3, 3.5, rows.ratings))
    made = list(ORDINAL.fit(grouped(half, 60, 40), HERE))[-1]
    assert made.levels.tolist() == [1, 2, 3.5, 4, 5]
    assert mse(made, half) < 0.6


def test_session_effects_are_found_and_looked_up_by_time() -> None:
    """Each user has good and bad days; only the day tells which."""
    g = torch.Generator().manual_seed(4)
    base = planted()
    day = torch.randint(0, 6, (len(base),), generator=g)
    mood = torch.where((base.users + day) % 2 == 0, 1.0, -1.0)
    rows = replace(
        base, ratings=(3 + mood).float(), ts=day * 86400 + torch.arange(len(base)) % 80000
    )
    held = torch.rand(len(rows), generator=g) < 0.2
    train = grouped(rows.take(torch.where(~held)[0]), 60, 40)
    assert mse(list(TIME.fit(train, HERE))[-1], rows.take(held)) < 0.35
    assert mse(list(ORDINAL.fit(train, HERE))[-1], rows.take(held)) > 0.7
    assert TIME.uses_time
    assert not ORDINAL.uses_time


def test_hyperparameters_that_cannot_work_are_refused_at_once() -> None:
    with pytest.raises(CollabError, match=r"uses no time stamps.*user_day"):
        BayesianMF(effects=("user_day",))
    with pytest.raises(CollabError, match="no model"):
        BayesianMF(sweeps=40, burn_in=40)


def test_ratings_of_validation_rows_change_nothing(
    board: tuple[Rows, Rows], model: FactorModel
) -> None:
    shuffled = replace(board[1], ratings=board[1].ratings.flip(0))
    assert torch.equal(model.predict(shuffled), model.predict(board[1]))
    assert torch.equal(model.spread(shuffled), model.spread(board[1]))


def test_an_estimator_of_several_chains_yields_their_merged_models(
    board: tuple[Rows, Rows], model: FactorModel
) -> None:
    two = replace(SHORT, chains=2)
    first, both = two.fit(board[0], HERE)
    other = list(SHORT.fit(board[0], replace(HERE, seed=HERE.seed + 1)))[-1]
    assert (two.passes, two.seeds(HERE.seed), two.of_chains(1)) == (
        2,
        [HERE.seed, HERE.seed + 1],
        SHORT,
    )
    torch.testing.assert_close(first.predict(board[1]), model.predict(board[1]), rtol=0, atol=1e-4)
    mean = (model.moments.score(board[1]) + other.moments.score(board[1])) / 2
    assert torch.allclose(both.moments.score(board[1]), mean, atol=0.05)  # 40 columns in 20
    assert both.n_parameters == model.n_parameters + other.n_parameters
    assert both.train_loss == pytest.approx((model.train_loss + other.train_loss) / 2)
    assert torch.equal(two.merge([model, other]).predict(board[1]), both.predict(board[1]))


def test_ordered_chains_merge_too(board: tuple[Rows, Rows], ordinal: OrdinalModel) -> None:
    both = list(replace(ORDINAL, chains=2).fit(board[0], HERE))[-1]
    assert mse(both, board[1]) < mse(ordinal, board[1]) + 0.01
    assert torch.allclose(both.probabilities(board[1]).sum(1), torch.ones(len(board[1])), atol=1e-5)
