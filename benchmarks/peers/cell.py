"""What every peer's script shares: its arguments, the clock, and the JSON line at the end.

A script names its peer and its libraries and hands over one function, which fits a model to the
training ratings and returns the predictor of the validation ratings. The clock covers both calls,
so whatever the library makes of the tables counts; imports and the reading of CSV do not.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

LISTED, RELEVANT = 10, 4.0  # what a list holds, and the stars from which on an item is relevant
Scores = npt.NDArray[np.float64]
Predict = Callable[[], npt.ArrayLike]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One model of one peer, and the ratings it is to be measured on.

    `movies` and `users` are empty unless given on the command line. `scores` is where the scores of
    the validation ratings are kept, as an array, if anywhere.
    """

    model: str
    threads: int
    seed: int
    train: pd.DataFrame
    valid: pd.DataFrame
    movies: pd.DataFrame
    users: pd.DataFrame
    scores: Path | None = None

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest rating of the training rows."""
        return float(self.train["rating"].min()), float(self.train["rating"].max())

    def relevant(self) -> pd.DataFrame:
        """The validation rows that a list should hold, of users whom training knows."""
        known = self.valid["user_id"].isin(self.train["user_id"])
        return self.valid[known & (self.valid["rating"] >= RELEVANT)]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A predictor, and what its lists of ten are worth: figures by name, measured off the clock."""

    predict: Predict
    rank: Callable[[], dict[str, float]]


Fit = Callable[[Cell], Predict | Ranked]


def main(peer: str, libraries: Sequence[str], models: Sequence[str], fit: Fit) -> None:
    """Measure the model that the command line names, and print the record."""
    cell = read_cell(models)
    record = {"peer": peer, "model": cell.model, **measure(cell, fit)}
    record["versions"] = {library: version(library) for library in libraries}
    record["threads"] = cell.threads
    sys.stdout.write(json.dumps(record) + "\n")


def measure(cell: Cell, fit: Fit) -> dict[str, object]:
    """Fit and predict under the clock; every validation row is scored."""
    start = time.perf_counter()
    found = fit(cell)
    fitted = time.perf_counter()
    predict = found.predict if isinstance(found, Ranked) else found
    scores = np.asarray(predict(), dtype=np.float64)
    predicted = time.perf_counter()
    if cell.scores:
        np.save(cell.scores, scores)
    return {
        "mse": mean_squared_error(scores, cell.valid["rating"].to_numpy(dtype=np.float64)),
        "fit_s": fitted - start,
        "predict_s": predicted - fitted,
        **({"ranking": found.rank()} if isinstance(found, Ranked) else {}),
    }


def mean_squared_error(scores: Scores, ratings: Scores) -> float:
    """Return the error over all rows; ValueError where a row has no finite score."""
    if scores.shape != ratings.shape:
        raise ValueError(f"{ratings.size} ratings, but scores of shape {scores.shape}")
    unscored = int((~np.isfinite(scores)).sum())
    if unscored:
        raise ValueError(f"{unscored} of {ratings.size} ratings have no finite score")
    return float(np.mean((scores - ratings) ** 2))


def clipped(scores: npt.ArrayLike, cell: Cell) -> Scores:
    """Return the scores within the rating scale, for libraries that leave that to their user."""
    return np.clip(np.asarray(scores, dtype=np.float64), *cell.scale)


def read_cell(models: Sequence[str]) -> Cell:
    """Read the command line, and the tables it names."""
    parser = argparse.ArgumentParser()
    for table in ("train", "valid"):
        parser.add_argument(f"--{table}", type=pd.read_csv, required=True, metavar="CSV")
    for table in ("movies", "users"):
        parser.add_argument(f"--{table}", type=pd.read_csv, default=pd.DataFrame(), metavar="CSV")
    parser.add_argument("--model", choices=models, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scores", type=Path)
    return Cell(**vars(parser.parse_args()))
