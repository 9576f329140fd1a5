"""Cut points of each user's own."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from collab.dataset.rows import Rows, grouped
from collab.estimators.bayes import BayesianOrdinal, BayesianPair
from collab.estimators.bayes.draws import below
from collab.estimators.bayes.likelihood import OrderedProbit
from collab.estimators.bayes.usercuts import UserCuts
from tests.estimators.bayes.planted import checkered, context, generator, rows_of

FEW = BayesianOrdinal(n_factors=2, sweeps=30, burn_in=20, thin=5, effects=())
OWN = replace(FEW, user_cuts=True)


def three_classes() -> tuple[Rows, Tensor]:
    """20 ratings of each of users 1 and 2, who differ in how often they take the middle."""
    g = generator()
    users = torch.tensor([1, 2]).repeat_interleave(20)
    scores = torch.randn(40, generator=g)
    latent = scores + torch.randn(40, generator=g)
    half = torch.where(users == 1, 0.3, 1.2)
    stars = 2 + (latent > half).float() - (latent < -half).float()
    return rows_of(users, torch.ones(40), stars), scores


def test_gaps_are_drawn_from_their_posterior() -> None:
    """One gap: mean and deviation of each user's log gap against a grid."""
    rows, scores = three_classes()
    probit, g, drawn = UserCuts(rows, 4), generator(1), []
    probit.cuts = torch.tensor([-0.7, 0.7])
    known = torch.tensor([4.0])
    for sweep in range(6000):
        probit.precision = known
        probit.draw_apart(scores, g, adapt=sweep < 1000)
        if sweep >= 1000:
            drawn.append(probit.apart[:, 0])
    found = torch.stack(drawn)

    axis = torch.linspace(-3, 3, 601)
    edge = 0.7 * axis.exp()[:, None]
    for user in (1, 2, 3):
        own = rows.users == user
        low, high = below(-edge - scores[own]), below(edge - scores[own])
        classes = torch.stack([low, high - low, 1 - high], -1)
        kind = (rows.ratings[own].long() - 1).expand(601, -1)[..., None]
        log = classes.gather(-1, kind)[..., 0].clamp(min=1e-30).log().sum(1) - 2 * axis**2
        weight = torch.softmax(log, 0)
        mean = float(weight @ axis)
        deviation = float(weight @ (axis - mean) ** 2) ** 0.5
        assert float(found[:, user].mean()) == pytest.approx(mean, abs=0.2 * deviation)
        assert float(found[:, user].std()) == pytest.approx(deviation, rel=0.15)
    # user 3 has no ratings: what is left is the prior, of deviation 1 / 2
    assert float(found[:, 3].std()) == pytest.approx(0.5, rel=0.1)
    assert float(found[:, 1].mean()) < float(found[:, 2].mean())


def test_spread_of_the_gaps_is_drawn_from_its_conditional() -> None:
    """t | d ~ Gamma(2 + n / 2, 0.04 + sum(d^2) / 2); no proposal is accepted at width 0."""
    rows, scores = three_classes()
    probit, g = UserCuts(rows, 4), generator(2)
    probit.widths = torch.zeros(4)
    probit.apart = torch.tensor([[0.1], [-0.2], [0.3], [0.4]])
    drawn = []
    for _ in range(4000):
        probit.draw_apart(scores, g, adapt=False)
        drawn.append(float(probit.precision))
    shape, rate = 4.0, 0.04 + 0.30 / 2
    found = torch.tensor(drawn)
    assert float(found.mean()) == pytest.approx(shape / rate, rel=0.05)
    assert float(found.var()) == pytest.approx(shape / rate**2, rel=0.15)


def test_points_by_hand() -> None:
    rows, _ = three_classes()
    probit = UserCuts(rows, 3)
    probit.cuts = torch.tensor([0.0, 1.0])
    probit.apart = torch.tensor([[0.0], [0.0], [2.0]]).log1p()
    assert probit.points.tolist()[1] == pytest.approx([0, 1])
    assert probit.points.tolist()[2] == pytest.approx([-1, 2])  # three times as wide, same middle
    mass = probit.probabilities(torch.zeros(40))
    assert mass[0].tolist() == pytest.approx([0.5, 0.3413, 0.1587], abs=1e-4)
    assert mass[20].tolist() == pytest.approx([0.1587, 0.8186, 0.0228], abs=1e-4)


def test_without_gaps_of_their_own_users_have_the_common_bounds() -> None:
    rows, _ = three_classes()
    one, own = OrderedProbit(rows), UserCuts(rows, 4)
    for found, expected in zip(own.bounds(one.cuts), one.bounds(one.cuts), strict=True):
        assert torch.allclose(found, expected)


def test_ratings_of_a_single_level_have_no_cut_points() -> None:
    rows = grouped(rows_of(torch.tensor([1, 2]), torch.tensor([1, 1]), torch.full((2,), 3.0)), 3, 2)
    model = list(OWN.fit(rows, context(3, 2)))[-1]
    assert model.predict(rows).tolist() == [3, 3]


def habits(seed: int) -> tuple[Rows, Rows]:
    """60 users of the same taste; those of odd number only give 1 and 5, the others 2 to 4."""
    g = generator(seed)
    pairs = torch.cartesian_prod(torch.arange(1, 60), torch.arange(1, 40))
    users, items = pairs[torch.rand(len(pairs), generator=g) < 0.6].unbind(1)
    liked = torch.randn(40, generator=g)[items] + 0.7 * torch.randn(len(items), generator=g)
    wide = torch.where(liked > 0, 5.0, 1.0)
    stars = torch.where(users % 2 == 1, wide, (3 + liked).round().clamp(2, 4))
    rows, held = rows_of(users, items, stars), torch.rand(len(users), generator=g) < 0.2
    return grouped(rows.take(torch.where(~held)[0]), 60, 40), rows.take(held)


def test_habits_of_users_are_found() -> None:
    train, held = habits(0)
    longer = [replace(e, sweeps=80, burn_in=60, thin=20) for e in (FEW, OWN)]
    mass = [list(e.fit(train, context(60, 40)))[-1].probabilities(held) for e in longer]
    odd = held.users % 2 == 1
    extremes = [[float(m[at][:, [0, 4]].sum(1).mean()) for at in (odd, ~odd)] for m in mass]
    print(extremes)
    assert extremes[1][0] > 0.85
    assert extremes[1][1] < 0.15
    kind = (held.ratings.long() - 1)[:, None]
    log = [float(m.gather(1, kind).clamp(min=1e-6).log().mean()) for m in mass]
    assert log[1] > log[0] + 0.1


def test_a_saved_model_predicts_the_same(tmp_path: Path) -> None:
    train, held = checkered()
    made = list(OWN.fit(train, context(60, 40)))[-1]
    made.save(tmp_path)
    again = OWN.load(tmp_path)
    assert torch.equal(again.probabilities(held), made.probabilities(held))
    unknown = rows_of(torch.tensor([0, 59]), torch.tensor([5, 39]), torch.ones(2))
    assert torch.allclose(again.probabilities(unknown).sum(1), torch.ones(2))


def test_a_resumed_chain_goes_on_with_the_same_numbers() -> None:
    train, _ = checkered()
    one, other = (OWN.start(train, context(60, 40)) for _ in range(2))
    for _ in range(3):
        one.sweep()
    other.restore(one.state())
    for _ in range(2):
        one.sweep()
        other.sweep()
    for name, value in one.state().items():
        assert torch.equal(other.state()[name], value), name


def test_a_pair_may_have_them_too() -> None:
    train, held = checkered()
    pair = BayesianPair(
        n_factors=2, gaussian_factors=2, sweeps=30, burn_in=20, thin=10, trees=0, user_cuts=True
    )
    model = list(pair.fit(train, context(60, 40)))[-1]
    assert model.probit.moments.tables["cuts"].shape == (60, 4)
    assert torch.allclose(model.probabilities(held).sum(1), torch.ones(len(held)))
