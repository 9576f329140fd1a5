"""Noise and cut points against closed forms and a grid."""

import pytest
import torch

from collab.dataset.rows import grouped
from collab.estimators.bayes.draws import below
from collab.estimators.bayes.likelihood import Gaussian, OrderedProbit
from tests.estimators.bayes.planted import generator, planted, rows_of


def test_noise_is_drawn_from_its_conditional() -> None:
    """alpha | residuals ~ Gamma(1 + n / 2, 1 + sum(r^2) / 2)."""
    train = grouped(planted(), 60, 40)
    scores = 0.1 * torch.randn(len(train), generator=generator(1))
    noise, g, drawn = Gaussian(train, (60, 40), (0, 0)), generator(), []
    for _ in range(4000):
        noise.after(scores, g)
        drawn.append(float(noise.alpha))
    shape = 1 + len(train) / 2
    rate = 1 + float((noise.target - scores).square().sum()) / 2
    found = torch.tensor(drawn)
    assert float(found.mean()) == pytest.approx(shape / rate, rel=4 / (shape * 4000) ** 0.5)
    assert float(found.var()) == pytest.approx(shape / rate**2, rel=0.1)


def test_a_noisy_user_counts_less() -> None:
    users = torch.tensor([1, 2]).repeat_interleave(200)
    items = torch.arange(1, 201).repeat(2)
    g = generator()
    spread = torch.where(users == 1, 0.3, 1.2)
    train = grouped(rows_of(users, items, 3 + spread * torch.randn(400, generator=g)), 3, 201)
    noise = Gaussian(train, (3, 201), (8, 0))
    for _ in range(50):
        noise.after(torch.zeros(400), g)
    ratio = float(noise.noise[0][1] / noise.noise[0][2])
    assert ratio == pytest.approx((1.2 / 0.3) ** 2, rel=0.4)
    assert torch.allclose(noise.weight, noise.alpha * noise.noise[0][train.users.long()])


def test_cut_points_are_drawn_from_their_posterior() -> None:
    """Three classes, so two cut points: means and deviations against a grid."""
    g = generator()
    scores = torch.randn(60, generator=g)
    latent = scores + torch.randn(60, generator=g)
    stars = 1 + (latent > -0.5).float() + (latent > 0.8).float()
    probit = OrderedProbit(rows_of(torch.ones(60), torch.ones(60), stars))
    drawn = []
    for sweep in range(5000):
        probit.draw_cuts(scores, g, adapt=sweep < 1000)
        if sweep >= 1000:
            drawn.append(probit.cuts)
    found = torch.stack(drawn)

    axis = torch.linspace(-2, 2.5, 181)
    first, second = torch.meshgrid(axis, axis, indexing="ij")
    mass = [below(first[..., None] - scores), below(second[..., None] - scores)]
    classes = torch.stack([mass[0], mass[1] - mass[0], 1 - mass[1]], -1)
    own = classes.gather(-1, (stars.long() - 1).expand(181, 181, 60)[..., None])[..., 0]
    log = torch.where(second > first, own.clamp(min=1e-30).log().sum(-1), -torch.inf)
    weight = torch.exp(log - log.max())
    weight /= weight.sum()
    for cut, grid in enumerate((first, second)):
        mean = float((weight * grid).sum())
        deviation = float((weight * (grid - mean) ** 2).sum()) ** 0.5
        assert float(found[:, cut].mean()) == pytest.approx(mean, abs=0.2 * deviation)
        assert float(found[:, cut].std()) == pytest.approx(deviation, rel=0.15)


def test_class_probabilities_are_those_between_the_cut_points() -> None:
    probit = OrderedProbit(rows_of(torch.ones(3), torch.ones(3), torch.tensor([1.0, 2.5, 4.0])))
    probit.cuts = torch.tensor([-1.0, 1.0])
    mass = probit.probabilities(torch.tensor([0.0, 100.0]))
    assert mass[0].tolist() == pytest.approx([0.1587, 0.6827, 0.1587], abs=1e-4)
    assert probit.stars(torch.tensor([0.0, 100.0])).tolist() == pytest.approx([2.5, 4.0], abs=1e-4)
