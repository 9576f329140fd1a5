"""myFM: Bayesian factorisation machines by Gibbs sampling, with ids alone and with all it takes.

`ids` sees who rated what. `ids, history, side` sees besides which movies the user rated and who
rated the movie (in training), the user's age, gender and occupation, the movie's genres and year;
with `week` also the week of the rating. The groups that share a prior are those that served better
on a part of training held out: one a kind of id for `ids`, one for all columns with the rest.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from myfm import MyFMRegressor, RelationBlock
from scipy.sparse import csr_matrix, hstack

from benchmarks.peers.cell import Cell, Predict, Scores, clipped, main

RANK, SAMPLES, BURN_IN = 10, 200, 20
WEEK_S = 7 * 24 * 3600

Index: TypeAlias = "pd.Index[Any]"
Columns = list[csr_matrix]
Inputs = tuple[csr_matrix, list[RelationBlock]]
Encode = Callable[[pd.DataFrame], Inputs]


def fit(cell: Cell) -> Predict:
    """Sample the model; the mean over the samples after the burn-in predicts."""
    encode, group_sizes = MODELS[cell.model](cell)
    table, blocks = encode(cell.train)
    model = MyFMRegressor(rank=RANK, random_seed=cell.seed).fit(
        table,
        cell.train["rating"].to_numpy(dtype=np.float64),
        X_rel=blocks,
        n_iter=SAMPLES,
        n_kept_samples=SAMPLES - BURN_IN,
        group_shapes=group_sizes,
    )

    def predict() -> Scores:
        rows, related = encode(cell.valid)
        return clipped(model.predict(rows, related, n_workers=cell.threads), cell)

    return predict


def ids_only(cell: Cell) -> tuple[Encode, list[int] | None]:
    """Encode a rating by its user and its movie."""
    known = {key: cell.train[key].unique() for key in ("user_id", "movie_id")}

    def encode(ratings: pd.DataFrame) -> Inputs:
        return hstack([one_hot(ratings[key], known[key]) for key in known], format="csr"), []

    return encode, [len(ids) for ids in known.values()]


def ids_and_more(cell: Cell, *, week: bool = True) -> tuple[Encode, list[int] | None]:
    """Encode a rating by one row for its user, one for its movie and, if so, by its week."""
    weeks = (cell.train["ts"] // WEEK_S).unique()
    columns = {"user_id": user_columns(cell), "movie_id": movie_columns(cell)}
    rows = {
        key: (every_id(cell, key), hstack(parts, format="csr")) for key, parts in columns.items()
    }

    def encode(ratings: pd.DataFrame) -> Inputs:
        blocks = [
            RelationBlock(ids.get_indexer(index_of(ratings[key])).tolist(), table)
            for key, (ids, table) in rows.items()
        ]
        at = ratings["ts"] // WEEK_S if week else np.full(len(ratings), -1)
        return one_hot(at, weeks), blocks

    return encode, None


def user_columns(cell: Cell) -> Columns:
    """Return a row for every user: id, movies rated, age, gender, occupation."""
    ids = every_id(cell, "user_id")
    users = cell.users.set_index("user_id").reindex(ids)
    sides = [one_hot(users[name], users[name].unique()) for name in ("age", "gender", "occupation")]
    return [*identity_and_history(cell.train, "user_id", "movie_id", ids), *sides]


def movie_columns(cell: Cell) -> Columns:
    """Return a row for every movie: id, users who rated it, genres, year."""
    ids = every_id(cell, "movie_id")
    movies = cell.movies.set_index("movie_id").reindex(ids)
    genres = csr_matrix(movies["genres"].str.get_dummies("|").to_numpy(dtype=np.float64))
    years = one_hot(movies["release_year"], movies["release_year"].dropna().unique())
    return [*identity_and_history(cell.train, "movie_id", "user_id", ids), genres, years]


def every_id(cell: Cell, key: str) -> Index:
    """Return the ids to be known, those of the validation ratings included."""
    return index_of(np.union1d(cell.train[key], cell.valid[key]))


def identity_and_history(train: pd.DataFrame, key: str, other: str, ids: Index) -> Columns:
    """Return each id's own column, and its partners in training as a row of length one."""
    partners = index_of(train[other].unique())
    at = ids.get_indexer(index_of(train[key])), partners.get_indexer(index_of(train[other]))
    weights = train.groupby(key)[other].transform("size").to_numpy() ** -0.5
    history = csr_matrix((weights, at), shape=(len(ids), len(partners)))
    return [one_hot(ids, train[key].unique()), history]


def one_hot(values: npt.ArrayLike, known: npt.ArrayLike) -> csr_matrix:
    """Return a row for each value, with a 1 in its column; an unknown value's row is empty."""
    codes = index_of(known).get_indexer(index_of(values))
    rows = np.flatnonzero(codes >= 0)
    shape = len(codes), len(index_of(known))
    return csr_matrix((np.ones(len(rows)), (rows, codes[rows])), shape=shape)


def index_of(values: npt.ArrayLike) -> Index:
    """Return the values as something to look up in, or to be looked up."""
    index: Index = pd.Index(np.asarray(values))
    return index


MODELS: dict[str, Callable[[Cell], tuple[Encode, list[int] | None]]] = {
    "ids": ids_only,
    "ids, history, side": partial(ids_and_more, week=False),
    "ids, history, side, week": ids_and_more,
}

if __name__ == "__main__":
    main("myFM", ["myfm", "numpy"], list(MODELS), fit)
