"""Surprise: its baseline, and its factor models as they come and tuned."""

from collections.abc import Callable
from typing import Any

import numpy as np
from surprise import SVD, BaselineOnly, Dataset, Reader, SVDpp

from benchmarks.peers.cell import Cell, Predict, main

MODELS: dict[str, Callable[[int], Any]] = {
    "BaselineOnly": lambda seed: BaselineOnly(verbose=False),
    "SVD": lambda seed: SVD(random_state=seed),
    "SVD tuned": lambda seed: SVD(
        n_factors=50, n_epochs=40, lr_all=0.01, reg_all=0.1, random_state=seed
    ),
    "SVDpp": lambda seed: SVDpp(random_state=seed),
}
COLUMNS = ["user_id", "movie_id", "rating"]


def fit(cell: Cell) -> Predict:
    """Fit the algorithm; a user or movie unknown to it falls back to the biases it has."""
    reader = Reader(rating_scale=cell.scale)
    trainset = Dataset.load_from_df(cell.train[COLUMNS], reader).build_full_trainset()
    algorithm = MODELS[cell.model](cell.seed).fit(trainset)
    testset = list(cell.valid[COLUMNS].itertuples(index=False, name=None))
    return lambda: np.array([each.est for each in algorithm.test(testset)])


if __name__ == "__main__":
    main("Surprise", ["scikit-surprise", "numpy"], list(MODELS), fit)
