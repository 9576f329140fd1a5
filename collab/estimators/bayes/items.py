"""An item-based linear model: how a user deviated on items that users deviate on alike.

Correlations of deviations from shrunk means, shrunk by how many users rated both, weigh the user's
own deviations (Sarwar et al. 2001; shrinkage as in Bell & Koren 2007). It knows nothing of factors,
so it errs elsewhere than they do.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from collab.dataset.rows import Rows

MOST = 4096  # items that are compared, the most rated
USERS = 1024  # at once
RIDGE, ROUNDS = 5.0, 5  # of the means
BOTH, LEAST_SD, POWER, DAMPING = 50.0, 0.3, 1.5, 0.3


@dataclass(frozen=True, kw_only=True)
class ItemModel:
    """Tables on the CPU.

    tables: `mean` (1,), `user_bias`, `item_bias`; `place` (n_items,) of an item among the m
        compared, -1 for the others; `weights` (m, m); `users`, `places`, `beyond` of the training
        rows of compared items, in the order of users: stars beyond the means.
    """

    tables: dict[str, Tensor]

    @classmethod
    def of(cls, train: Rows, sizes: tuple[int, int]) -> "ItemModel":
        """From training rows in the order of users; sizes: users and items."""
        users, items = train.users.cpu().long(), train.items.cpu().long()
        stars = train.ratings.cpu()
        mean, biases = shrunk_means(users, items, stars, sizes)
        beyond = stars - mean - biases[0][users] - biases[1][items]
        counts = torch.bincount(items, minlength=sizes[1])
        chosen = counts.argsort(descending=True, stable=True)[:MOST]
        place = torch.full((sizes[1],), -1)
        place[chosen] = torch.arange(len(chosen))
        known = place[items] >= 0
        rows = {"users": users[known], "places": place[items[known]], "beyond": beyond[known]}
        tables = {"mean": mean[None], "user_bias": biases[0], "item_bias": biases[1]}
        weights = weights_of(rows, len(chosen), sizes[0])
        return cls(tables={**tables, "place": place, **rows, "weights": weights})

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,)."""
        users, items, tables = rows.users.cpu().long(), rows.items.cpu().long(), self.tables
        stars = tables["mean"] + tables["user_bias"][users] + tables["item_bias"][items]
        place, weights = tables["place"][items], tables["weights"]
        sums = weights, weights.abs()
        for wanted in torch.split(torch.unique(users), USERS):
            at = torch.where(torch.isin(users, wanted) & (place >= 0))[0]
            beyond, there = laid_out(tables, wanted, len(weights))
            cell = torch.searchsorted(wanted, users[at]), place[at]
            total, certainty = (
                (left @ right)[cell] for left, right in zip((beyond, there), sums, strict=True)
            )
            stars[at] += total / (certainty + DAMPING)
        return stars


def shrunk_means(
    users: Tensor, items: Tensor, stars: Tensor, sizes: tuple[int, int]
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The mean, and shrunk deviations of users and items, fitted in turns."""
    mean = stars.double().mean().float()
    found = [torch.zeros(size) for size in sizes]
    for _ in range(ROUNDS):
        for side, at, other in ((1, items, users), (0, users, items)):
            left = stars - mean - found[1 - side][other]
            count = torch.bincount(at, minlength=sizes[side])
            total = torch.zeros(sizes[side]).index_add(0, at, left)
            found[side] = total / (count + RIDGE)
    return mean, (found[0], found[1])


def weights_of(rows: dict[str, Tensor], m: int, n_users: int) -> Tensor:
    """How much a deviation on one item says of another, (m, m); nothing of itself."""
    products, both = torch.zeros(m, m), torch.zeros(m, m)
    for some in torch.split(torch.arange(n_users), USERS):
        beyond, there = laid_out(rows, some, m)
        products += beyond.mT @ beyond
        both += there.mT @ there
    variance = products.diagonal() / both.diagonal().clamp(min=1)
    sd = variance.sqrt().clamp(min=LEAST_SD)
    alike = products / (both + BOTH) / (sd[:, None] * sd)
    return (alike.sign() * alike.abs() ** POWER).fill_diagonal_(0)


def laid_out(rows: dict[str, Tensor], users: Tensor, m: int) -> tuple[Tensor, Tensor]:
    """Deviations, and where there are any, of some sorted users, (users, m) each."""
    begin = torch.searchsorted(rows["users"], users)
    end = torch.searchsorted(rows["users"], users, right=True)
    row = torch.repeat_interleave(torch.arange(len(users)), end - begin)
    within = torch.arange(len(row)) - (end - begin).cumsum(0)[row] + (end - begin)[row]
    at = begin[row] + within
    beyond, there = torch.zeros(len(users), m), torch.zeros(len(users), m)
    beyond[row, rows["places"][at]] = rows["beyond"][at]
    there[row, rows["places"][at]] = 1
    return beyond, there
