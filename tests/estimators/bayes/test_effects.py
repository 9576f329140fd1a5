"""Random effects and their codes."""

import pytest
import torch

from collab.base.errors import CollabError
from collab.estimators.bayes.effects import Effect, codes_of, find
from tests.estimators.bayes.planted import features, generator, rows_of


def test_effects_are_drawn_from_their_conditional() -> None:
    """Mean sum(w r) / (sum(w) + l), variance 1 / (sum(w) + l)."""
    keys = torch.tensor([7, 7, 3, 7, 3])
    weight = torch.tensor([1.0, 2.0, 0.5, 1.0, 4.0])
    left = torch.tensor([0.4, -0.2, 1.0, 0.9, 0.3])
    drawn, g = [], generator()
    for _ in range(3000):
        effect = Effect("e", keys)
        effect.draw(left, weight, g)
        drawn.append(effect.x)
    assert effect.keys.tolist() == [3, 7]
    certainty = torch.tensor([4.5, 4.0]) + 20
    sums = torch.tensor([0.5 + 1.2, 0.4 - 0.4 + 0.9])
    off = (torch.stack(drawn).mean(0) - sums / certainty) * (certainty * len(drawn)).sqrt()
    assert float(off.abs().max()) < 4
    assert torch.allclose(torch.stack(drawn).var(0), 1 / certainty, rtol=0.12)


def test_the_precision_of_effects_follows_their_size() -> None:
    """l | x ~ Gamma(1 + n / 2, 0.02 + sum(x^2) / 2): near 1 / variance of many effects."""
    keys = torch.arange(5000)
    effect, g = Effect("e", keys), generator()
    for _ in range(20):  # certain ratings: x is what is left
        effect.draw(0.5 * torch.randn(5000, generator=g), torch.full((5000,), 1e6), g)
    assert float(effect.precision) == pytest.approx(4, rel=0.1)


def test_codes_put_ratings_together() -> None:
    ts = torch.tensor([1000, 1000, 1059, 1061, 1000 + 86400 * 7])
    rows = rows_of(torch.tensor([1, 1, 1, 2, 1]), torch.tensor([2, 4, 3, 2, 2]), torch.ones(5), ts)
    codes = codes_of(
        ("user_second", "user_minute", "week", "user_genres"), features(3, 8), torch.ones(8)
    )

    def together(name: str) -> list[int]:
        groups = torch.unique(codes.keys(name, rows), return_inverse=True)[1]
        return [int(group) for group in groups]

    assert together("user_second") == [0, 0, 1, 3, 2]
    assert together("user_minute") == [0, 0, 1, 3, 2]
    assert together("week") == [0, 0, 0, 0, 1]
    assert together("user_genres")[0] == together("user_genres")[1]  # items 2 and 4: neither genre
    assert together("user_genres")[0] != together("user_genres")[3]  # another user


def test_a_key_is_found_only_where_it_is() -> None:
    at, there = find(torch.tensor([2, 5, 9]), torch.tensor([5, 4, 10]))
    assert there.tolist() == [True, False, False]
    assert int(at[0]) == 1


def test_an_unknown_effect_is_refused_by_name() -> None:
    with pytest.raises(CollabError, match="user_moon"):
        codes_of(("user_moon",), features(3, 4), torch.ones(4))
