"""Cornac: matrix factorisation with biases by stochastic gradient descent, tuned.

Rate and penalty were found on a part of training held out.
"""

from cornac.data import Dataset
from cornac.models import MF

from benchmarks.peers.cell import Cell, Predict, main

SETTINGS = {"k": 50, "max_iter": 50, "learning_rate": 0.01, "lambda_reg": 0.1}
COLUMNS = ["user_id", "movie_id", "rating"]


def fit(cell: Cell) -> Predict:
    """Fit on all threads, which Cornac does only without a seed."""
    triples = list(cell.train[COLUMNS].itertuples(index=False, name=None))
    train = Dataset.from_uir(triples)
    model = MF(**SETTINGS, num_threads=cell.threads).fit(train)

    def predict() -> list[float]:
        users = [train.uid_map.get(user, train.num_users) for user in cell.valid["user_id"]]
        movies = [train.iid_map.get(movie, train.num_items) for movie in cell.valid["movie_id"]]
        return [model.rate(*pair) for pair in zip(users, movies, strict=True)]

    return predict


if __name__ == "__main__":
    main("Cornac", ["cornac", "numpy"], ["MF"], fit)
