"""How good the ten items are that a model would show first, among all that a user has not rated.

An error says nothing of order: what a list of ten is worth is measured apart (Järvelin and
Kekäläinen 2002). What a user rated with four stars or more among the validation rows is relevant,
and everything else is not, also what was never rated; so the figures are low, and compare models on
one dataset alone. All items are ranked, not a sample of them (Krichene and Rendle 2020). Gains and
discounts are those of LensKit's NDCG and Recall as they come.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.dataset.vocabulary import UNKNOWN
from collab.estimators.api import Factors, Fitted, HasFactors

LISTED = 10
RELEVANT = 4.0  # stars
MOST_USERS, MOST_PAIRS = 1000, 20_000_000  # beyond, a sample of the users, the same for every run
SEED = 0  # of that sample
PAIRS_AT_ONCE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """How good the lists are: means over users, 0 to 1; 1 is the best.

    ndcg: discounted cumulative gain of a list, as a part of the best one's; what is relevant gains
        1, the rest 0; places count by 1 / log2(place), the first two by 1.
    recall: the part of what is relevant that is listed; of more than ten, the part of ten.
    coverage: the part of the items that is in somebody's list.
    users: how many were ranked.
    """

    ndcg: float
    recall: float
    coverage: float
    users: int

    def metrics(self) -> dict[str, float]:
        """By the names that the table of metrics gives them."""
        found = {f"{name}@{LISTED}": getattr(self, name) for name in ("ndcg", "recall", "coverage")}
        return {**found, "ranked_users": float(self.users)}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be found.

    users: (b,) indices, ascending.
    row, item: (n,) each the user's place among these, and the index of a relevant item.
    """

    users: Tensor
    row: Tensor
    item: Tensor

    @property
    def counts(self) -> Tensor:
        """How many relevant items each user has, (b,); those that training never saw count."""
        return torch.bincount(self.row, minlength=len(self.users)).double()

    def hits(self, lists: Tensor) -> Tensor:
        """Which of the items listed (b, k) are relevant, as 1.0 and 0.0."""
        span = int(max(lists.max(), self.item.max())) + 1
        known = self.item != UNKNOWN
        keys = torch.arange(len(lists))[:, None] * span + lists
        return torch.isin(keys, self.row[known] * span + self.item[known]).double()


def rank(
    fitted: Fitted, train: Rows, valid: Rows, repeated: Tensor, *, by_factors: bool
) -> Ranking | None:
    """Rank all items that training saw, for users who have something relevant to find.

    Args:
        fitted: the model.
        train: by user and by item; what a user rated there is not listed.
        valid: what is to be found.
        repeated: (n,) which of these rows were rated in training too, under another id.
        by_factors: whether the model's factors explain its predictions.

    Returns:
        None where no user known to training has anything relevant.
    """
    assert train.by_item
    wanted = to_find(valid, repeated, n_items := len(train.by_item.counts) - 1)
    if not len(wanted.users):
        return None
    factors = fitted.factors() if by_factors and isinstance(fitted, HasFactors) else None
    size = max(1, PAIRS_AT_ONCE // n_items)
    parts = [
        best_unseen(fitted, factors, train, users) for users in torch.split(wanted.users, size)
    ]
    lists = torch.cat(parts)
    hits, most = wanted.hits(lists), wanted.counts.clamp(max=LISTED)
    weights = 1 / torch.arange(1, LISTED + 1).double().log2().clamp(min=1)
    best = weights.cumsum(0)[most.long() - 1]
    return Ranking(
        ndcg=float((hits @ weights[: hits.shape[1]] / best).mean()),
        recall=float((hits.sum(1) / most).mean()),
        coverage=len(torch.unique(lists[lists != UNKNOWN])) / n_items,
        users=len(wanted.users),
    )


def to_find(valid: Rows, repeated: Tensor, n_items: int) -> Wanted:
    """The relevant items of the users to rank, at most as many users as there is time for."""
    relevant = (valid.ratings >= RELEVANT) & ~repeated & (valid.users != UNKNOWN)
    user, item = distinct(valid.users[relevant].long(), valid.items[relevant].long())
    users = torch.unique(user)
    most = min(MOST_USERS, max(1, MOST_PAIRS // n_items))
    if len(users) > most:
        generator = torch.Generator().manual_seed(SEED)
        users = users[torch.randperm(len(users), generator=generator)[:most]].sort().values
        kept = torch.isin(user, users)
        user, item = user[kept], item[kept]
    return Wanted(users=users, row=torch.searchsorted(users, user), item=item)


def distinct(user: Tensor, item: Tensor) -> tuple[Tensor, Tensor]:
    """The pairs (n,), (n,), each known item of a user once: it may be rated under two ids."""
    known = item != UNKNOWN
    pairs = torch.unique(torch.stack([user[known], item[known]]), dim=1)
    return torch.cat([pairs[0], user[~known]]), torch.cat([pairs[1], item[~known]])


@torch.inference_mode()
def best_unseen(fitted: Fitted, factors: Factors | None, train: Rows, users: Tensor) -> Tensor:
    """The unseen items of the highest score of some users (b,), best first: (b, 10).

    What is predicted alike stands in the order of the items; UNKNOWN stands where none is left.
    """
    assert train.by_user
    assert train.by_item
    n_items = len(train.by_item.counts) - 1
    if factors is None:
        scores = fitted.predict(all_pairs(train, users, n_items)).reshape(len(users), n_items)
    else:  # what a user adds to every score changes no order, nor does the link
        scores = factors.user_factors[users] @ factors.item_factors[1:].T + factors.item_bias[1:]
    starts = train.by_user.starts.cpu()
    for row, user in enumerate(users.tolist()):
        scores[row, train.items[starts[user] : starts[user + 1]].long() - 1] = -torch.inf
    best = scores.sort(dim=1, descending=True, stable=True)
    found = best.indices[:, :LISTED] + 1
    return found.where(best.values[:, :LISTED] > -torch.inf, UNKNOWN)


def all_pairs(train: Rows, users: Tensor, n_items: int) -> Rows:
    """Each of some users with each item, at the moment of the user's last training row."""
    assert train.by_user
    last = train.ts[train.by_user.starts[users + 1] - 1]
    n = len(users) * n_items
    return Rows(
        users=users.repeat_interleave(n_items),
        items=torch.arange(1, n_items + 1).repeat(len(users)),
        ratings=torch.zeros(n),
        ts=last.repeat_interleave(n_items),
    )
