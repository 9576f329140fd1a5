"""A sampler over training rows, made ready: features of rows, codes, and a start near the data."""

from dataclasses import dataclass

import torch
from torch import Tensor

from collab.dataset.features import Features
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import Context
from collab.estimators.bayes.basis import (
    Basis,
    Operator,
    history_basis,
    leading,
    side_basis,
    sparse,
)
from collab.estimators.bayes.chain import Chain
from collab.estimators.bayes.effects import Codes, Effect, codes_of
from collab.estimators.bayes.entity import Entity
from collab.estimators.bayes.likelihood import Gaussian, Likelihood, OrderedProbit
from collab.estimators.bayes.usercuts import UserCuts

RANK = 400  # of the history that predicts the prior's mean
RIDGE = 5.0  # ratings of bias 0 that everyone is given besides their own, at the start
SPREAD = 0.3  # of the items' factors at the start


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a chain is made of.

    n_factors: of each user and item. ordinal: ordered probit in place of Gaussian noise.
    user_cuts: whether the probit's cut points differ by user.
    user_noise, item_noise: freedom of the noise of each user and item, 0 for the same everywhere.
    history, side: whether what was rated, and side features, predict the prior's mean.
    effects: names of the codes.
    """

    n_factors: int
    ordinal: bool
    user_cuts: bool
    user_noise: float
    item_noise: float
    history: bool
    side: bool
    effects: tuple[str, ...]


def start_chain(train: Rows, context: Context, parts: Parts) -> tuple[Chain, Codes]:
    """A chain before its first sweep, and the codes of its effects."""
    g = context.generator()
    if train.by_user is None or train.by_item is None:
        train = grouped(train, context.n_users, context.n_items)
    train = train.to(context.device)
    assert train.by_user is not None
    assert train.by_item is not None
    assert train.by_item.order is not None
    order, starts = train.by_item.order, (train.by_user.starts, train.by_item.starts)
    others = (train.items, train.users.index_select(0, order))
    bases = row_bases(starts, others, context.features, parts, g)
    users, items = (
        Entity(*side, parts.n_factors + 1) for side in zip(starts, others, bases, strict=True)
    )
    codes = codes_of(parts.effects, context.features, starts[1].diff())
    effects = [Effect(name, codes.keys(name, train)) for name in parts.effects]
    sizes = (context.n_users, context.n_items)
    chain = Chain(users, items, effects, likelihood_of(train, sizes, parts), train, order, g)
    place(chain, starts)
    return chain, codes


def likelihood_of(train: Rows, sizes: tuple[int, int], parts: Parts) -> Likelihood:
    """The one that is asked for."""
    if not parts.ordinal:
        return Gaussian(train, sizes, (parts.user_noise, parts.item_noise))
    return UserCuts(train, sizes[0]) if parts.user_cuts else OrderedProbit(train)


def row_bases(
    starts: tuple[Tensor, Tensor],
    others: tuple[Tensor, Tensor],
    features: Features,
    parts: Parts,
    g: torch.Generator,
) -> tuple[list[Basis], list[Basis]]:
    """The features of users and of items."""
    found: tuple[list[Basis], list[Basis]] = ([], [])
    columns = (user_columns(features, len(starts[0]) - 1), item_columns(features))
    ones = torch.ones(len(others[0]), device=g.device)
    incidence = [sparse(starts[s], others[s], ones, len(starts[1 - s]) - 1) for s in (0, 1)]
    for side in (0, 1):
        history = side_info = None
        if parts.history:
            history = history_basis(incidence[side], incidence[1 - side], RANK, g)
        if parts.side:
            seen = starts[side].diff() > 0
            side_info = side_basis(columns[side].to(g.device), seen, RANK)
        found[side].extend(basis for basis in (history, side_info) if basis is not None)
    return found


def user_columns(features: Features, n_users: int) -> Tensor:
    """One column (n_users, d) for each level of each user code; unknown is all zeros."""
    flags = [one_hot(codes.long())[:, 1:] for codes in features.user_codes.values()]
    return torch.cat([torch.zeros(n_users, 0), *(flag.cpu() for flag in flags)], 1)


def item_columns(features: Features) -> Tensor:
    """Genres, each row scaled to length 1, and one column for each five years, (n_items, d)."""
    genres = features.genres.float().cpu()
    genres = genres / genres.sum(1, keepdim=True).clamp(min=1).sqrt()
    fives = torch.unique(features.years.long().cpu() // 5, return_inverse=True)[1]
    return torch.cat([genres, one_hot(fives)], 1)


def one_hot(codes: Tensor) -> Tensor:
    """Codes (n,) as columns (n, levels)."""
    return torch.nn.functional.one_hot(codes).float()


def place(chain: Chain, starts: tuple[Tensor, Tensor]) -> None:
    """Start at shrunk means, and the items' factors at the leading directions of what is left.

    From there a chain needs a quarter of the sweeps that it needs from a random start.
    """
    train, g = chain.train, chain.g
    left = train.ratings - train.ratings.double().mean().float()
    for entity, at, begin in (
        (chain.items, train.items, starts[1]),
        (chain.users, train.users, starts[0]),
    ):
        total = torch.zeros(entity.n, device=g.device).index_add(0, at, left)
        bias = total / (begin.diff() + RIDGE)
        entity.rows[:, -1] = bias
        left = left - bias.index_select(0, at)
    by_user = sparse(starts[0], train.items, left, chain.items.n)
    by_item = sparse(
        starts[1], chain.items.others, left.index_select(0, chain.by_item), chain.users.n
    )
    matrix = Operator(chain.users.n, chain.items.n, lambda x: by_user @ x, lambda y: by_item @ y)
    width = chain.items.width - 1
    right = leading(matrix, width, g)[2]
    for entity in (chain.users, chain.items):
        noise = torch.randn(entity.n, width, generator=g, device=g.device)
        entity.rows[:, :width] = 0.1 * noise
    chain.items.rows[:, : right.shape[1]] = right * (SPREAD * chain.items.n**0.5)
