"""The sampler as a whole against closed forms and against its own prior."""

import pytest
import torch
from torch import Tensor

from collab.base.errors import CollabError
from collab.dataset.rows import Rows, grouped
from collab.estimators.bayes.basis import Basis
from collab.estimators.bayes.chain import Chain, score
from collab.estimators.bayes.draws import gamma, wishart
from collab.estimators.bayes.entity import Entity
from collab.estimators.bayes.likelihood import Gaussian, OrderedProbit
from tests.estimators.bayes.planted import (
    chain_of,
    departs,
    exponential,
    generator,
    planted,
    rows_of,
    standard_normal,
)

SIZES = (7, 6)
CODES = {"pair": torch.arange(20) % 4}


def small_rows(seed: int = 0) -> Rows:
    """20 ratings of 6 users and 5 items; index 0 has none."""
    pairs = torch.cartesian_prod(torch.arange(1, 7), torch.arange(1, 6))
    at = torch.randperm(30, generator=generator(seed))[:20]
    users, items = pairs[at].unbind(1)
    return grouped(rows_of(users, items, 1 + (users * items % 5)), *SIZES)


def hold(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Leave the priors as they are, and what else is named of a likelihood."""
    monkeypatch.setattr(Entity, "draw_prior", lambda self, g: None)
    for name in names:
        kind, method = name.split(".")
        target = {"Gaussian": Gaussian, "OrderedProbit": OrderedProbit}[kind]
        monkeypatch.setattr(target, method, lambda self, *args, **kwargs: None)


def test_biases_and_effects_have_their_closed_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the priors known all of them are jointly normal: means and variances in float64."""
    hold(monkeypatch, "Gaussian.after")
    train = small_rows()
    chain = chain_of(train, SIZES, 1, codes=CODES)
    precision = torch.tensor(6.0)
    drawn = []
    for sweep in range(4500):
        chain.effects[0].precision = precision
        chain.sweep()
        if sweep >= 500:
            parts = chain.users.rows[:, 0], chain.items.rows[:, 0], chain.effects[0].x
            drawn.append(torch.cat(parts).double())
    one_hot = torch.nn.functional.one_hot
    columns = (
        one_hot(train.users.long(), 7),
        one_hot(train.items.long(), 6),
        one_hot(CODES["pair"], 4),
    )
    design = torch.cat(columns, 1).double()
    prior = torch.cat([torch.full((13,), 5.0), torch.full((4,), 6.0)]).double()
    covariance = torch.linalg.inv(1.5 * design.mT @ design + torch.diag(prior))
    mean = covariance @ (1.5 * design.mT @ chain.likelihood.target.double())
    found = torch.stack(drawn)
    deviation = covariance.diagonal().sqrt()
    assert float(((found.mean(0) - mean) / deviation).abs().max()) < 0.12
    assert torch.allclose(found.std(0), deviation, rtol=0.1)


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
    check_prior(after_sweeps(300, 1))


def test_the_prior_is_stationary_with_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    hold(monkeypatch)
    check_prior(after_sweeps(300, 3))


def test_the_prior_is_stationary_with_an_ordered_probit(monkeypatch: pytest.MonkeyPatch) -> None:
    hold(monkeypatch, "OrderedProbit.draw_cuts")
    check_prior(after_sweeps(300, 3, ordinal=True))


@pytest.mark.slow
@pytest.mark.parametrize(("width", "ordinal"), [(1, False), (3, False), (3, True)])
def test_the_prior_is_stationary_over_many_starts(
    monkeypatch: pytest.MonkeyPatch, width: int, ordinal: bool
) -> None:
    if width > 1:
        hold(monkeypatch, *(("OrderedProbit.draw_cuts",) if ordinal else ()))
    check_prior(after_sweeps(4000, width, ordinal=ordinal))


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
    check_uniform(ranks(60, 38, 19), 20)


@pytest.mark.slow
def test_true_values_are_calibrated_among_draws_of_long_chains() -> None:
    check_uniform(ranks(1000, 190, 19), 20)


def check_uniform(found: Tensor, n: int) -> None:
    jitter = torch.rand(found.shape, generator=generator(1))
    for column in ((found + jitter) / n).unbind(1):
        assert not departs(column, lambda x: x)


def wide_chain(seed: int = 0, *, ordinal: bool = False) -> Chain:
    train = grouped(planted(), 60, 40)
    keys = train.users.long() * 3 + train.items.long() % 3
    chain = chain_of(
        train, (60, 40), 4, codes={"kind": keys}, freedom=(8, 20), ordinal=ordinal, seed=seed
    )
    chain.items.rows = torch.randn(40, 4, generator=chain.g) / 2
    return chain


@pytest.mark.parametrize("ordinal", [False, True])
def test_a_restored_chain_goes_on_with_the_same_numbers(ordinal: bool) -> None:
    whole, half = wide_chain(ordinal=ordinal), wide_chain(ordinal=ordinal)
    for _ in range(3):
        half.sweep(adapt=True)
    rest = wide_chain(seed=99, ordinal=ordinal)
    rest.restore(half.state())
    for _ in range(3):
        whole.sweep(adapt=True)
    for _ in range(4):
        whole.sweep()
        rest.sweep()
    for name, value in whole.state().items():
        assert torch.equal(value, rest.state()[name]), name


def test_the_same_seed_gives_the_same_numbers_and_another_does_not() -> None:
    chains = [wide_chain(0), wide_chain(0), wide_chain(1)]
    for chain in chains:
        chain.sweep()
    scores = [chain.scores for chain in chains]
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])


def test_divergence_is_told_in_words() -> None:
    chain = wide_chain()
    chain.likelihood.target = torch.full((len(chain.train),), torch.inf)
    with pytest.raises(CollabError, match="diverged in sweep 1"):
        chain.sweep()
