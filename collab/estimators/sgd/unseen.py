"""The rows of a table that no training row has: each gets the mean of those that were trained.

What is left of its first draw says nothing of somebody new, and where a bias holds half of the mean
rating it predicts a star too low. Users count by their ratings: one of few has hardly left the
draw, and over the ratings the scores of a trained model have the right mean. Items count once: one
that nobody rated yet is like the many that few rate, and not like those that everybody does. So
unseen items of ml-latest-small err by 0.97 (stars squared; by ratings 1.18), and unseen users of
ml-100k by 1.07 either way.
"""

import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.sgd.parts import Tables

Counts = tuple[Tensor, Tensor]


def count_rows(train: Rows, sizes: tuple[int, int]) -> Counts:
    """How many training rows each user (n_users,) and each item (n_items,) has."""
    users, items = (
        torch.bincount(of.long(), minlength=n)
        for of, n in zip((train.users, train.items), sizes, strict=True)
    )
    return users, items


@torch.no_grad()
def fill_unseen(tables: Tables, counts: Counts) -> None:
    """Overwrite the rows without training rows in the tables (n, ...) of the users and the items.

    Rows that were trained are not touched.
    """
    users, items = counts
    for of_side, weights in zip(tables, (users, items > 0), strict=True):
        shares = weights / weights.sum()
        for table in of_side:
            table[weights == 0] = torch.tensordot(shares.to(table.dtype), table, dims=1)
