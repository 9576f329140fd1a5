"""The rows of a table that no training row has: each gets the mean of those that were trained.

What is left of its first draw says nothing of somebody new, and where a bias holds half of the mean
rating it predicts a star too low. Rows are weighted by their ratings: one of few ratings has hardly
left its draw, and it is over the ratings that the scores of a trained model have the right mean.
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
    for of_side, seen in zip(tables, counts, strict=True):
        weights = seen / seen.sum()
        for table in of_side:
            table[seen == 0] = torch.tensordot(weights.to(table.dtype), table, dims=1)
