"""A made-up archive of any size in ml-32m's layout, with something to learn in it.

    python -m benchmarks.archive --ratings 2000000 /tmp/ml-32m.zip

Users and movies are drawn by power laws, tastes are eight planted factors, and what is left is
noise of a variance of about 0.6, the rounding to half stars counted: no model can do better.
"""

import argparse
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from collab.base.database import open_database, quote
from collab.base.paths import given_path
from collab.movielens.editions import ML_32M

FACTORS = 8
NOISE = 0.76
MEAN = 3.45
AT_ONCE = 1 << 20
FIRST, LAST = 800_000_000, 1_500_000_000  # when a user first rates, seconds since 1970
MONTH = 30 * 86_400
GENRES = ("Action", "Comedy", "Documentary", "Drama", "Horror", "Romance", "Sci-Fi")


@dataclass(frozen=True)
class Sizes:
    """How many users and movies a number of ratings comes with, about as in ml-32m."""

    ratings: int

    @property
    def users(self) -> int:
        """One to 160 ratings."""
        return max(20, self.ratings // 160)

    @property
    def movies(self) -> int:
        """They grow more slowly."""
        return max(20, int(0.2 * self.ratings**0.75))


def write_archive(path: Path, ratings: int, seed: int = 0) -> Path:
    """Write a zip of so many ratings; the same seed gives the same text."""
    sizes, random = Sizes(ratings), np.random.default_rng(seed)
    users, movies = draw_pairs(sizes, random)
    table = pa.table(
        {
            "userId": users + 1,
            "movieId": movies + 1,
            "rating": draw_stars(users, movies, sizes, random),
            "timestamp": draw_times(users, sizes, random),
        }
    )
    with TemporaryDirectory(dir=path.parent) as folder:
        write_csv(Path(folder) / "ratings.csv", table)
        write_csv(Path(folder) / "movies.csv", movie_table(sizes.movies))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            for name in ("ratings.csv", "movies.csv"):
                archive.write(Path(folder) / name, f"{ML_32M.folder}/{name}")
    return path


def draw_pairs(
    sizes: Sizes, random: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Users and movies (n,) of the ratings, each pair once, by user and movie."""
    active = random.lognormal(sigma=1.2, size=sizes.users)
    popular = random.permutation((np.arange(sizes.movies) + 30.0) ** -1.05)
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < sizes.ratings:
        more = int(1.3 * (sizes.ratings - len(keys))) + 100
        drawn = pick(active, more, random) * sizes.movies + pick(popular, more, random)
        keys = np.unique(np.concatenate([keys, drawn]))
    keep = np.ones(len(keys), dtype=np.bool_)
    keep[random.choice(len(keys), len(keys) - sizes.ratings, replace=False)] = False
    keys = keys[keep]
    return (keys // sizes.movies).astype(np.int32), (keys % sizes.movies).astype(np.int32)


def pick(weights: NDArray[np.float64], n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """n places, as often as their weights say."""
    up_to = np.cumsum(weights)
    at: NDArray[np.int64] = np.searchsorted(up_to / up_to[-1], random.random(n), side="right")
    return at


def draw_stars(
    users: NDArray[np.int32],
    movies: NDArray[np.int32],
    sizes: Sizes,
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Half stars (n,): biases, factors and noise."""
    scale = (0.4 / FACTORS) ** 0.25  # the dot product has a variance of 0.4
    tastes, kinds = (
        scale * random.standard_normal((n, FACTORS), dtype=np.float32)
        for n in (sizes.users, sizes.movies)
    )
    lenient, good = (
        0.45 * random.standard_normal(n, dtype=np.float32) for n in (sizes.users, sizes.movies)
    )
    stars = np.empty(len(users), dtype=np.float32)
    for start in range(0, len(users), AT_ONCE):
        u, m = (ids[start : start + AT_ONCE] for ids in (users, movies))
        score = MEAN + lenient[u] + good[m] + np.einsum("nk,nk->n", tastes[u], kinds[m])
        score += NOISE * random.standard_normal(len(u), dtype=np.float32)
        stars[start : start + AT_ONCE] = (np.round(2 * score) / 2).clip(0.5, 5)
    return stars


def draw_times(
    users: NDArray[np.int32], sizes: Sizes, random: np.random.Generator
) -> NDArray[np.int64]:
    """Seconds since 1970 (n,): all of a user's within a month."""
    begun = random.integers(FIRST, LAST, sizes.users)
    return begun[users] + random.integers(0, MONTH, len(users))


def movie_table(n: int) -> pa.Table:
    """Ids, titles with a year, and a genre."""
    ids = range(1, n + 1)
    return pa.table(
        {
            "movieId": ids,
            "title": [f"Film {number} ({1930 + number % 90})" for number in ids],
            "genres": [GENRES[number % len(GENRES)] for number in ids],
        }
    )


def write_csv(path: Path, table: Any) -> None:
    """A table as ml-32m writes it."""
    with open_database() as con:
        con.register("rows", table)
        con.execute(f"COPY rows TO '{quote(path)}' (HEADER)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a made-up archive in ml-32m's layout.")
    parser.add_argument("--ratings", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("path", type=given_path)
    asked = parser.parse_args()
    write_archive(asked.path, asked.ratings, asked.seed)
