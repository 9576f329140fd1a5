"""Tables that hold a whole model: taste effects become columns beside the factors'."""

from dataclasses import replace

import torch
from torch import Tensor

from collab.dataset.rows import starts_of
from collab.estimators.api import Factors
from collab.estimators.bayes.basis import Operator, sparse
from collab.estimators.bayes.effects import SHIFT
from collab.estimators.bayes.lowrank import approximate, row_weights
from collab.estimators.bayes.moments import Moments
from collab.estimators.fold_in import Prior


def tables_of(moments: Moments, columns: int) -> Factors:
    """Factors of `columns` columns whose predictions are the model's, float32.

    A user's effect on a band of items is a number of the user times whether the item is in the
    band, a product as well; the sum of all of them is approximated by its leading columns.
    """
    tables = moments.tables
    matrix = whole(moments)
    counts = (tables["user_counts"], tables["item_counts"])
    left, right = approximate(matrix, columns, (row_weights(counts[0]), row_weights(counts[1])))
    found = Factors(
        mean=moments.offset,
        user_factors=left.contiguous(),
        item_factors=right.contiguous(),
        user_bias=tables["user_bias"],
        item_bias=tables["item_bias"],
        clip=moments.scale,
    )
    return centred(found, counts[0])


def centred(found: Factors, counts: Tensor) -> Factors:
    """The same predictions, what all users share being part of the items' biases.

    Where a chain puts it, in factors or biases, is chance; a bias is what does not depend on who
    rates. counts (n_users,): of the ratings of each user, who counts if there are any.
    """
    shared = found.user_factors[counts > 0].mean(0)
    return replace(
        found,
        user_factors=found.user_factors - shared,
        item_bias=found.item_bias + found.item_factors @ shared,
    )


def whole(moments: Moments) -> Operator:
    """The mean of P Q' and of all effects of users on bands of items, users by items."""
    left, right = moments.tables["left"], moments.tables["right"]
    parts = [
        Operator(
            len(left), len(right), lambda x: left @ (right.mT @ x), lambda y: right @ (left.mT @ y)
        )
    ]
    parts += [banded(moments, name) for name in moments.codes.names]
    return Operator(
        len(left),
        len(right),
        lambda x: torch.stack([part.times(x) for part in parts]).sum(0),
        lambda y: torch.stack([part.transposed(y) for part in parts]).sum(0),
    )


def banded(moments: Moments, name: str) -> Operator:
    """One effect of users on bands of items."""
    band = moments.codes.bands[name.removeprefix("user_")]
    n_bands, keys = int(band.max()) + 1, moments.tables[f"{name}.keys"]
    n_users, n_items = len(moments.tables["user_bias"]), len(band)
    at_user, at_band, means = (
        keys >> SHIFT,
        keys & ((1 << SHIFT) - 1),
        moments.tables[f"{name}.mean"],
    )
    by_user = sparse(starts_of(at_user, n_users), at_band, means, n_bands)
    order = torch.argsort(at_band, stable=True)
    by_band = sparse(starts_of(at_band, n_bands), at_user[order], means[order], n_users)

    def times(x: Tensor) -> Tensor:
        return by_user @ x.new_zeros(n_bands, x.shape[1]).index_add(0, band, x)

    return Operator(n_users, n_items, times, lambda y: (by_band @ y)[band])


def prior_of(tables: Factors, counts: Tensor, variance: float) -> Prior:
    """Of a new user's row: the normal distribution of the rows of the users with ratings.

    counts (n_users,) tells which; variance: of the noise, stars squared.
    """
    rows = torch.cat([tables.user_factors, tables.user_bias[:, None]], 1).double()[counts > 0]
    precision = variance * torch.linalg.inv(covariance(rows))
    return Prior(mean=rows.mean(0), precision=precision, noise=variance)


def covariance(rows: Tensor) -> Tensor:
    """Covariance (k, k) of rows (n, k), its diagonal lifted a little so that it can be inverted."""
    apart = rows - rows.mean(0)
    found = apart.mT @ apart / max(len(rows) - 1, 1)
    lift = 1e-4 * found.diagonal().mean() + 1e-8
    return found + lift * torch.eye(len(found), dtype=found.dtype)
