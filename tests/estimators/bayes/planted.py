"""Small planted data, chains built by hand, and a test of distributions."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from collab.dataset.features import Features
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import Context
from collab.estimators.bayes.basis import Basis
from collab.estimators.bayes.chain import Chain
from collab.estimators.bayes.effects import Effect
from collab.estimators.bayes.entity import Entity
from collab.estimators.bayes.likelihood import Gaussian, OrderedProbit

CPU = torch.device("cpu")
SCALE = (1.0, 5.0)
SIZES = (7, 6)  # of `small_rows`, the unknown counted
CODES = {"pair": torch.arange(20) % 4}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def features(n_users: int, n_items: int, *, with_users: bool = True) -> Features:
    """Two genres by the item's number, some years, and a user code by parity."""
    item, user = torch.arange(n_items), torch.arange(n_users)
    genres = torch.stack([item % 2, item % 3 == 0], 1).to(torch.uint8)
    years = (1940 + 7 * (item % 11)).short()
    genres[0], years[0] = 0, 0
    codes = {"gender": (1 + user % 2).short() * (user > 0)} if with_users else {}
    return Features(genres=genres, years=years, genre_names=("a", "b"), user_codes=codes)


def context(n_users: int, n_items: int, *, seed: int = 0, with_users: bool = True) -> Context:
    side = features(n_users, n_items, with_users=with_users)
    return Context(
        seed=seed, device=CPU, n_users=n_users, n_items=n_items, scale=SCALE, features=side
    )


def rows_of(users: Tensor, items: Tensor, ratings: Tensor, ts: Tensor | None = None) -> Rows:
    ts = torch.arange(len(users)) * 40 if ts is None else ts
    return Rows(users=users.int(), items=items.int(), ratings=ratings.float(), ts=ts)


def planted(n_users: int = 60, n_items: int = 40, share: float = 0.5, seed: int = 0) -> Rows:
    """Ratings of 1 to 5 from user and item means and one taste: even users love even items.

    Index 0, the unknown, and the last user and item have none.
    """
    g = generator(seed)
    pairs = torch.cartesian_prod(torch.arange(1, n_users - 1), torch.arange(1, n_items - 1))
    users, items = pairs[torch.rand(len(pairs), generator=g) < share].unbind(1)
    taste = torch.where((users + items) % 2 == 0, 0.8, -0.8)
    means = 0.4 * torch.randn(n_users, generator=g), 0.4 * torch.randn(n_items, generator=g)
    noise = 0.6 * torch.randn(len(users), generator=g)
    stars = (3.2 + taste + means[0][users] + means[1][items] + noise).round().clamp(*SCALE)
    return rows_of(users, items, stars)


def checkered(n_users: int = 60, n_items: int = 40, seed: int = 0) -> tuple[Rows, Rows]:
    """Planted ratings, four fifths for training and one for validation."""
    rows = planted(n_users, n_items, seed=seed)
    held = torch.rand(len(rows), generator=generator(seed + 1)) < 0.2
    return grouped(rows.take(torch.where(~held)[0]), n_users, n_items), rows.take(held)


def chain_of(
    train: Rows,
    sizes: tuple[int, int],
    width: int,
    *,
    bases: tuple[list[Basis], list[Basis]] = ([], []),
    codes: dict[str, Tensor] | None = None,
    freedom: tuple[float, float] = (0.0, 0.0),
    ordinal: bool = False,
    seed: int = 0,
) -> Chain:
    """A chain over rows that `grouped` made; codes: name -> key (n,) of each row."""
    assert train.by_user is not None
    assert train.by_item is not None
    assert train.by_item.order is not None
    order = train.by_item.order
    users = Entity(train.by_user.starts, train.items, bases[0], width)
    items = Entity(train.by_item.starts, train.users[order.long()], bases[1], width)
    likelihood = OrderedProbit(train) if ordinal else Gaussian(train, sizes, freedom)
    effects = [Effect(name, keys) for name, keys in (codes or {}).items()]
    return Chain(users, items, effects, likelihood, train, order, generator(seed))


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


def departs(sample: Tensor, cdf: Callable[[Tensor], Tensor]) -> bool:
    """Whether a sample (n,) is not from a distribution: Kolmogorov and Smirnov, at 1 in 1,000."""
    n, at = len(sample), cdf(sample.double().sort()[0])
    steps = torch.arange(n + 1, dtype=torch.float64) / n
    distance = max(float((steps[1:] - at).max()), float((at - steps[:-1]).max()))
    return distance * math.sqrt(n) > 1.95


def exponential(rate: float = 1.0) -> Callable[[Tensor], Tensor]:
    return lambda x: 1 - torch.exp(-rate * x)


def standard_normal(x: Tensor) -> Tensor:
    found: Tensor = torch.special.ndtr(x)
    return found
