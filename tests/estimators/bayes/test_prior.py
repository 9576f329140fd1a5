"""The sampler against its own prior: Geweke's test from many starts, and ranks of true values."""

import pytest
import torch
from torch import Tensor

from collab.estimators.bayes.basis import Basis
from collab.estimators.bayes.chain import Chain, score
from collab.estimators.bayes.draws import gamma, wishart
from collab.estimators.bayes.entity import Entity
from collab.estimators.bayes.likelihood import Gaussian, OrderedProbit
from tests.estimators.bayes.planted import (
    CODES,
    SIZES,
    chain_of,
    departs,
    exponential,
    generator,
    hold,
    small_rows,
    standard_normal,
)


def prior_chain(seed: int, width: int, *, ordinal: bool = False) -> Chain:
    """A chain whose state is a draw from the prior, the hyperparameters of wide rows known."""
    train, g = small_rows(), generator(seed)
    bases: tuple[list[Basis], list[Basis]] = ([], [])
    if width == 1:
        vectors = torch.linalg.qr(torch.randn(6, 2, generator=generator(9)))[0]
        padded = torch.cat([torch.zeros(1, 2), vectors])
        bases = ([Basis(padded, torch.tensor([3.0, 1.0]))], [])
    freedom = (0.0, 0.0) if ordinal else (8.0, 20.0)
    chain = chain_of(
        train, SIZES, width, bases=bases, codes=CODES, freedom=freedom, ordinal=ordinal
    )
    chain.g.manual_seed(20_000 + seed)  # apart from the numbers that the start is made of
    for entity in (chain.users, chain.items):
        draw_entity(entity, g, known=width > 1)
    effect = chain.effects[0]
    effect.precision = (gamma(torch.ones(1), g)[0] / 0.02).float()
    effect.x = torch.randn(4, generator=g) * effect.precision.rsqrt()
    if isinstance(chain.likelihood, Gaussian):
        chain.likelihood.alpha = gamma(torch.ones(1), g)[0].float()
        for side, nu in enumerate(freedom):
            shapes = torch.full((SIZES[side],), nu / 2)
            chain.likelihood.noise[side] = (gamma(shapes, g) / (nu / 2)).float()
        chain.likelihood.weigh()
    chain.shares = effect.at_rows()
    rows = score(chain.users.rows, chain.items.rows, train.users, train.items)
    chain.scores = rows + chain.shares
    answer(chain, g)
    return chain


def draw_entity(entity: Entity, g: torch.Generator, *, known: bool) -> None:
    """Prior and rows from their prior."""
    eye = torch.eye(entity.width, dtype=torch.float64)
    entity.precision = (3 * eye if known else wishart(entity.width, eye, g)).float()
    root: Tensor = torch.linalg.cholesky(torch.linalg.inv(entity.precision))

    def noise(n: int) -> Tensor:
        return torch.randn(n, entity.width, generator=g) @ root.mT

    entity.mu = 0 * entity.mu if known else noise(1)[0] / 2**0.5
    for group, basis in enumerate(entity.bases):
        entity.ridges[group] = gamma(torch.ones(1), g)[0].float()
        entity.weights[group] = noise(len(basis.strengths)) * entity.ridges[group].rsqrt()
        entity.told[group] = entity.tell(group)
    entity.rows = entity.prior_mean() + noise(entity.n)


def answer(chain: Chain, g: torch.Generator) -> None:
    """Draw ratings given everything."""
    noise = torch.randn(20, generator=g)
    if isinstance(chain.likelihood, OrderedProbit):
        chain.likelihood.kind = torch.bucketize(chain.scores + noise, chain.likelihood.cuts)
    else:
        chain.likelihood.target = chain.scores + noise * chain.likelihood.weight.rsqrt()


def after_sweeps(replicates: int, width: int, *, ordinal: bool = False) -> dict[str, Tensor]:
    """States after three sweeps, ratings drawn anew after each, from many starts in the prior.

    Whatever a right sampler does, they still are draws from the prior (Geweke 2004).
    """
    found: dict[str, list[Tensor]] = {}
    for seed in range(replicates):
        chain, g = prior_chain(seed, width, ordinal=ordinal), generator(10_000 + seed)
        for _ in range(3):
            chain.sweep()
            answer(chain, g)
        for name, value in pivots(chain).items():
            found.setdefault(name, []).append(value)
    return {name: torch.stack(values) for name, values in found.items()}


def pivots(chain: Chain) -> dict[str, Tensor]:
    """Functions of a state whose distributions under the prior are standard normal or Gamma(1)."""
    effect, users = chain.effects[0], chain.users
    root = torch.linalg.cholesky(users.precision)
    pull = (users.rows - users.prior_mean())[1:] @ root
    found = {
        "normal user": pull[0, 0],
        "normal user bias": pull[1, -1],
        "normal item": (chain.items.rows - chain.items.mu)[2, 0]
        * chain.items.precision[0, 0].sqrt(),
        "normal effect": effect.x[1] * effect.precision.sqrt(),
        "gamma effects": effect.precision * 0.02,
    }
    if isinstance(chain.likelihood, Gaussian):
        found["gamma noise"] = chain.likelihood.alpha
    if users.bases:
        ridge = users.ridges[0]
        found["gamma ridge"] = ridge
        found["normal weight"] = users.weights[0][0, 0] * (ridge * users.precision[0, 0]).sqrt()
        found["normal mu"] = users.mu[0] * (2 * users.precision[0, 0]).sqrt()
        # the Wishart of one dimension and one degree of freedom: the square of a normal number
        found["half normal precision"] = users.precision[0, 0].sqrt()
    return found


def check_prior(found: dict[str, Tensor]) -> None:
    """No pivot departs from its distribution."""
    laws = {
        "normal": standard_normal,
        "gamma": exponential(),
        "half": lambda x: 2 * standard_normal(x) - 1,
    }
    wrong = [name for name, sample in found.items() if departs(sample, laws[name.split()[0]])]
    assert not wrong


def test_the_prior_is_stationary_with_all_hyperparameters() -> None:
    check_prior(after_sweeps(200, 1))


def test_the_prior_is_stationary_with_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    hold(monkeypatch)
    check_prior(after_sweeps(200, 3))


def test_the_prior_is_stationary_with_an_ordered_probit(monkeypatch: pytest.MonkeyPatch) -> None:
    hold(monkeypatch, "OrderedProbit.draw_cuts")
    check_prior(after_sweeps(200, 3, ordinal=True))


@pytest.mark.slow
@pytest.mark.parametrize(("width", "ordinal"), [(1, False), (3, False), (3, True)])
def test_the_prior_is_stationary_over_many_starts(
    monkeypatch: pytest.MonkeyPatch, width: int, ordinal: bool
) -> None:
    if width > 1:
        hold(monkeypatch, *(("OrderedProbit.draw_cuts",) if ordinal else ()))
    check_prior(after_sweeps(2000, width, ordinal=ordinal))


def ranks(replicates: int, sweeps: int, keep: int) -> Tensor:
    """Ranks (replicates, 2) of the true noise and of a true score among `keep` draws."""
    found = []
    for seed in range(replicates):
        chain = prior_chain(seed, 1)
        assert isinstance(chain.likelihood, Gaussian)
        truth = torch.stack([chain.likelihood.alpha, chain.scores[3]])
        draws = []
        for sweep in range(sweeps):
            chain.sweep()
            if (sweep + 1) % (sweeps // keep) == 0:
                draws.append(torch.stack([chain.likelihood.alpha, chain.scores[3]]))
        found.append((torch.stack(draws) < truth).sum(0))
    return torch.stack(found)


def test_true_values_are_calibrated_among_draws() -> None:
    """Simulation-based calibration (Talts et al. 2018): ranks of true values are uniform."""
    check_uniform(ranks(50, 19, 19), 20)


@pytest.mark.slow
def test_true_values_are_calibrated_among_draws_of_long_chains() -> None:
    check_uniform(ranks(300, 190, 19), 20)


def check_uniform(found: Tensor, n: int) -> None:
    jitter = torch.rand(found.shape, generator=generator(1))
    for column in ((found + jitter) / n).unbind(1):
        assert not departs(column, lambda x: x)
