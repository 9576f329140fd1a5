"""Movies that nobody has rated: what their genres and year alone let expect of their rows.

An item's row w = (factors, bias) is taken to be drawn around what its features z tell, as in Macau
(Simm et al. 2017), where the sampler draws it likewise (`estimators/bayes/entity.py`):

    w = m + B' z + e,    Cov e = S,    rows of B ~ N(0, S / penalty)

Given the published rows W of the items that have ratings, with features Z, expected of w is

    m + W' V Z (Z' V Z + penalty I)^-1 z,    V = diag(v),    v = n_ratings / (n_ratings + HALF)

with v how surely a row is known, and m the mean of the rows by v, taken from W. The penalty is that
of the least generalised cross-validation (Golub, Heath & Wahba 1979), r / (1 - f / n)^2: r is the
sum of v |w - fit|^2, and f the trace of the fit, what it takes of the n rows' freedom.

Lengths are in the metric of who rates: |e|^2 = e' M e, M the mean over all ratings of p p' with p
the user's (factors, 1), is the square of what e adds to a score, on average. Rows of few ratings
were drawn to the mean, and the square of their spread is v times what it should be; so s, the mean
of |e|^2, is the sum of v |e|^2 over that of v^2: r / (sum v^2) / (1 - f / n). The score of a movie
without ratings then has the variance s (1 + z' (Z' V Z + penalty I)^-1 z), the latter part B's;
where genres or year are unknown, so does what they would have told: that is added likewise.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collab.base.database import insert
from collab.dataset.features import Features, as_tensors, encode_items
from collab.dataset.vocabulary import Vocabulary
from collab.estimators.bayes.effects import YEARS
from collab.release.interpret import Model

HALF = 20.0  # ratings by which a row is half known
PENALTIES = torch.logspace(-3, 4, 29, dtype=torch.float64)
TINY = 1e-9  # in place of a divisor that is 0


def insert_cold(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Fill `cold_movies`, a row for each item that training has not seen."""
    assert model.train.by_user
    assert model.train.by_item
    movies = con.execute(
        "SELECT item_id, release_year, genres FROM movies WHERE movie_id = item_id"
    ).df()
    every = Vocabulary.of("item", movies["item_id"].to_numpy())
    cold = ~np.isin(every.ids, model.items.ids)
    if not cold.any():
        return
    seen = torch.from_numpy(every.encode(model.items.ids)).long()
    rows = torch.zeros(len(every), model.items.factors.shape[1] + 1)
    counts = torch.zeros(len(every), dtype=torch.int64)
    rows[seen] = torch.from_numpy(np.column_stack([model.items.factors, model.items.bias]))
    counts[seen] = model.train.by_item.counts[1:]
    features = as_tensors(*encode_items(movies, every))
    users = torch.from_numpy(model.users.factors)
    metric = raters_metric(users, model.train.by_user.counts[1:])
    expected, sd = (of[1:][cold] for of in expected_rows(rows, counts, features, metric))
    found = {"item_id": every.ids[cold], "factors": expected[:, :-1].tolist()}
    table = pd.DataFrame({**found, "bias": expected[:, -1].numpy(), "sd": sd.numpy()})
    insert(con, "cold_movies", table.assign(run_id=model.run.run_id))


def expected_rows(
    rows: Tensor, counts: Tensor, features: Features, metric: Tensor
) -> tuple[Tensor, Tensor]:
    """What the features of each item let expect of its row, and how sure a score by it is.

    Args:
        rows: of the items (n, k + 1), the bias last.
        counts: ratings of each (n,); the row of one without any says nothing.
        features: of the same n items.
        metric: of lengths (k + 1, k + 1), as `raters_metric` gives it.

    Returns:
        Rows (n, k + 1), and the standard deviation (n,) of the score of a movie of such features
        around what they say, on average over who rates; float64.
    """
    weight = counts.double() / (counts + HALF)
    middle = weight @ rows.double() / weight.sum()
    parts = design(features, weight)
    z = torch.cat(parts, 1)
    ridge = Ridge.of(z, weight, rows.double() - middle, metric, int((counts > 0).sum()))
    variance = ridge.variance(z) / weight.square().sum()
    first = 0
    for part in parts:
        told = part @ ridge.weights[first : first + part.shape[1]]
        lacks, first = ~part.any(1), first + part.shape[1]
        known = weight * ~lacks
        apart = known @ squares(told, metric) / known.sum().clamp(min=TINY)
        variance = variance + lacks * apart
    return middle + z @ ridge.weights, variance.sqrt()


@dataclass(frozen=True)
class Ridge:
    """The regression of the least error: `weights` (d, k + 1), what `variance` is made of."""

    weights: Tensor
    inverse: Tensor  # (Z' V Z + penalty I)^-1
    rest: Tensor  # r / (1 - f / n)

    @classmethod
    def of(cls, z: Tensor, weight: Tensor, rows: Tensor, metric: Tensor, n: int) -> "Ridge":
        """The regression of rows (n, k + 1) of mean 0 on features (n, d), by weights (n,)."""
        strengths, turn = torch.linalg.eigh(z.mT @ (weight[:, None] * z))
        told = turn.mT @ z.mT @ (weight[:, None] * rows)
        total, explained = weight @ squares(rows, metric), squares(told, metric)
        shrunk = strengths.clamp(min=0) + PENALTIES[:, None]  # a row for each penalty
        rest = total - (explained * (shrunk + PENALTIES[:, None]) / shrunk.square()).sum(1)
        free = 1 - (1 + (1 - PENALTIES[:, None] / shrunk).sum(1)) / n
        rest, free = rest.clamp(min=0), free.clamp(min=TINY)
        best = int((rest / free.square()).argmin())
        inverse = turn / shrunk[best] @ turn.mT
        return cls(turn @ (told / shrunk[best][:, None]), inverse, rest[best] / free[best])

    def variance(self, z: Tensor) -> Tensor:
        """Of the scores of new rows of features (m, d), (m,), times the sum of v^2."""
        return self.rest * (1 + (z @ self.inverse * z).sum(1))


def squares(rows: Tensor, metric: Tensor) -> Tensor:
    """The squared lengths (n,) of rows (n, k + 1)."""
    return (rows @ metric * rows).sum(1)


def raters_metric(users: Tensor, counts: Tensor) -> Tensor:
    """The mean (k + 1, k + 1) of p p' over all ratings, p = (factors, 1) of who gave them.

    users (m, k): their factors; counts (m,): how many ratings each gave.
    """
    p = torch.cat([users, users.new_ones(len(users), 1)], 1).double()
    return p.mT @ (counts.double()[:, None] * p) / counts.sum()


def design(features: Features, weight: Tensor) -> list[Tensor]:
    """Genres, and bands of years, (n, d) each, float64, of mean 0 by the weights (n,).

    Where no genre is listed, or no year is known, that part is 0: on the mean.
    """
    band = torch.bucketize(features.years.long(), torch.tensor(YEARS), right=True)
    years = torch.nn.functional.one_hot(band, len(YEARS) + 1) * (features.years > 0)[:, None]
    parts = []
    for flags in (features.genres.double(), years.double()):
        there = flags.any(1).double()[:, None]
        mean = (weight @ flags) / (weight @ there).clamp(min=TINY)
        parts.append((flags - mean) * there)
    return parts
