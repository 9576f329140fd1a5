"""This project's estimators, measured as the peers are: in an environment that holds them."""

import pandas as pd
import torch

from benchmarks.peers.cell import Cell, Ranked, main
from collab.dataset.features import Features, as_tensors, encode_items, encode_users
from collab.dataset.rows import Rows, grouped
from collab.dataset.vocabulary import Vocabulary
from collab.estimators.api import Context, Fitted, SlowToList
from collab.estimators.recipes import RECIPES
from collab.runs.ranking import rank
from collab.runs.record import LARGEST_GAP
from collab.runs.train import factors_gap


def fit_variant(cell: Cell) -> Ranked:
    """Make vocabularies, encode, group and fit; the predictor scores the validation rows."""
    torch.set_num_threads(cell.threads)
    users = Vocabulary.of("user", cell.train["user_id"].to_numpy())
    items = Vocabulary.of("item", cell.train["item_id"].to_numpy())
    train, valid = (encode(part, users, items) for part in (cell.train, cell.valid))
    context = Context(
        seed=cell.seed,
        device=torch.device("cpu"),
        n_users=len(users),
        n_items=len(items),
        scale=cell.scale,
        features=features(cell, users, items),
    )
    rows = grouped(train, len(users), len(items))
    for fitted in RECIPES[cell.model].estimator.fit(rows, context):
        last = fitted
    return Ranked(
        predict=lambda: last.predict(valid).numpy(), rank=lambda: ranking(last, rows, valid)
    )


def ranking(fitted: Fitted, train: Rows, valid: Rows) -> dict[str, float]:
    """What lists of ten are worth, over all items that a user has not rated."""
    if isinstance(fitted, SlowToList):
        return {}
    gap = factors_gap(fitted, valid)
    seen = pairs(train)
    repeated = torch.isin(pairs(valid), seen)  # under another id
    explained = gap is not None and gap <= LARGEST_GAP
    found = rank(fitted, train, valid, repeated, by_factors=explained)
    return found.metrics() if found else {}


def pairs(rows: Rows) -> torch.Tensor:
    """A number for each pair of user and item."""
    return rows.users.long() << 32 | rows.items.long()


def encode(ratings: pd.DataFrame, users: Vocabulary, items: Vocabulary) -> Rows:
    """A table of ratings as rows."""
    return Rows(
        users=torch.from_numpy(users.encode(ratings["user_id"].to_numpy())),
        items=torch.from_numpy(items.encode(ratings["item_id"].to_numpy())),
        ratings=torch.tensor(ratings["rating"].to_numpy(), dtype=torch.float32),
        ts=torch.tensor(ratings["ts"].to_numpy()),
    )


def features(cell: Cell, users: Vocabulary, items: Vocabulary) -> Features:
    """The side features, for the estimators that use them."""
    movies = cell.movies[cell.movies["movie_id"] == cell.movies["item_id"]]
    lists = movies["genres"].fillna("").map(lambda text: text.split("|") if text else [])
    of_items, genres = encode_items(movies.assign(genres=lists), items)
    of_users, _ = encode_users(cell.users, users)
    return as_tensors({**of_items, **{f"user_{k}": v for k, v in of_users.items()}}, genres)


if __name__ == "__main__":
    main("collab", ["torch", "numpy"], list(RECIPES), fit_variant)
