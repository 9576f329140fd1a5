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
without ratings then has the variance s (1 + z' (Z' V Z + penalty I)^-1 z), the latter part B's.
"""

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
    weight = counts.double() / (counts.double() + HALF)
    middle = weight @ rows.double() / weight.sum()
    left = rows.double() - middle
    z = design(features, weight)
    strengths, turn = torch.linalg.eigh(z.mT @ (weight[:, None] * z))
    strengths, z = strengths.clamp(min=0), z @ turn
    told = z.mT @ (weight[:, None] * left)
    total = float((weight[:, None] * left @ metric * left).sum())
    explained = (told @ metric * told).sum(1)

    def left_over(penalty: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of v |w - fit|^2, and the share of freedom that the fit leaves to the rows."""
        shrunk = strengths + penalty
        rest = total - (explained * (shrunk + penalty) / shrunk.square()).sum()
        freedom = 1 + (strengths / shrunk).sum()
        return rest.clamp(min=0), (1 - freedom / (counts > 0).sum()).clamp(min=1e-9)

    def error(penalty: Tensor) -> float:
        rest, free = left_over(penalty)
        return float(rest / free.square())

    penalty = min(PENALTIES, key=error)
    rest, free = left_over(penalty)
    variance = rest / free / weight.square().sum()
    shrunk = strengths + penalty
    spread = variance * (1 + (z.square() / shrunk).sum(1))
    return middle + z @ (told / shrunk[:, None]), spread.sqrt()


def raters_metric(users: Tensor, counts: Tensor) -> Tensor:
    """The mean (k + 1, k + 1) of p p' over all ratings, p = (factors, 1) of who gave them.

    users (m, k): their factors; counts (m,): how many ratings each gave.
    """
    p = torch.cat([users, users.new_ones(len(users), 1)], 1).double()
    return p.mT @ (counts.double()[:, None] * p) / counts.sum()


def design(features: Features, weight: Tensor) -> Tensor:
    """Genres and bands of years (n, d), float64, of mean 0 by the weights (n,).

    Where no genre is listed, or no year is known, that part is 0: on the mean.
    """
    known = features.years > 0
    band = torch.bucketize(features.years.long(), torch.tensor(YEARS), right=True)
    years = torch.nn.functional.one_hot(band, len(YEARS) + 1) * known[:, None]
    parts = []
    for flags in (features.genres.double(), years.double()):
        there = flags.any(1).double()[:, None]
        mean = (weight @ flags) / (weight @ there).clamp(min=1e-9)
        parts.append((flags - mean) * there)
    return torch.cat(parts, 1)
