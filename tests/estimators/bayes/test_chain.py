"""The sampler as a whole against closed forms and against its own prior."""

import pytest
import torch

from collab.base.errors import CollabError
from collab.dataset.rows import grouped
from collab.estimators.bayes.chain import Chain
from tests.estimators.bayes.planted import CODES, SIZES, chain_of, hold, planted, small_rows


def test_biases_and_effects_have_their_closed_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the priors known all of them are jointly normal: means and variances in float64."""
    hold(monkeypatch, "Gaussian.after")
    train = small_rows()
    chain = chain_of(train, SIZES, 1, codes=CODES)
    precision = torch.tensor(6.0)
    drawn = []
    for sweep in range(3000):
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
