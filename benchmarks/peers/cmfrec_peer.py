"""cmfrec: matrix factorisation with biases by alternating least squares, plain and tuned.

The tuned penalty grows with the number of ratings; it was found on a part of training held out.
"""

from cmfrec import CMF

from benchmarks.peers.cell import Cell, Predict, clipped, main

NAMES = {"user_id": "UserId", "movie_id": "ItemId", "rating": "Rating"}
SETTINGS = {"k": 40, "method": "als", "verbose": False}
MODELS: dict[str, dict[str, object]] = {
    "ALS": {"lambda_": 10.0},
    "ALS tuned": {"lambda_": 0.14, "scale_lam": True},
}


def fit(cell: Cell) -> Predict:
    """Fit on all threads; a user or movie unknown to it falls back to the biases it has."""
    train = cell.train[list(NAMES)].rename(columns=NAMES)
    settings = {**SETTINGS, **MODELS[cell.model]}
    model = CMF(**settings, nthreads=cell.threads, random_state=cell.seed).fit(train)
    users, movies = cell.valid["user_id"].to_numpy(), cell.valid["movie_id"].to_numpy()
    return lambda: clipped(model.predict(users, movies), cell)


if __name__ == "__main__":
    main("cmfrec", ["cmfrec", "numpy"], list(MODELS), fit)
