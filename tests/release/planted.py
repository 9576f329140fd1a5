"""A planted edition with titles worth looking for, trained and published by the real code."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from collab.lake import Manifest, ingest, load_manifest
from collab.movielens.editions import ML_LATEST_SMALL
from collab.movielens.sources import find_archive
from collab.base.paths import DataDir
from collab.release.publish import publish
from collab.release.snapshot import Snapshot
from collab.estimators.recipes import VARIANTS
from collab.runs.run import Run, RunSpec, load_run
from collab.runs.train import train_run
from tests.archives import Planted, write_archive

TITLES = {
    1: "Alien (1979)",
    2: "Aliens (1986)",
    3: "Amélie of Montmartre (2001)",
    4: "Silence of the Lambs, The (1991)",
    5: "2001: A Space Odyssey (1968)",
    6: "E.T. the Extra-Terrestrial (1982)",
    7: "Misérables, Les (1995)",
    8: "War of the Worlds (1953)",
    9: "War of the Worlds (2005)",
}
N_MOVIES = 30
N_USERS = 40
VARIANTS_TRAINED = ("dot_product_bias_wd", "embedding_nn")


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published, and from what; the first run has factors and biases."""

    data: DataDir
    lake: Manifest
    runs: list[Run]

    def publish(self, runs: list[Run] | None = None, **options: object) -> tuple[Snapshot, bool]:
        """Publish some of the runs, all by default."""
        return publish(self.lake, runs or self.runs, self.data, **options)  # type: ignore[arg-type]

    def train(self, variant: str, seed: int) -> Run:
        """One more run."""
        return train(self.data, self.lake, variant, seed)

    def copy_to(self, root: Path) -> "Published":
        """The same in a folder of its own, to be changed."""
        data = DataDir(root)
        shutil.copytree(self.data.root, root, symlinks=True)
        lake = load_manifest(root / self.lake.path.relative_to(self.data.root))
        runs = [load_run(data.runs / run.run_id) for run in self.runs]
        return Published(data=data, lake=lake, runs=runs)


def rated(user: int, movie: int) -> bool:
    """Three of four pairs are rated, every user and movie alike."""
    return (user + movie) % 4 != 0


def rows() -> Planted:
    """Even users love even movies, odd ones odd; four stars for movie 8 from all who rate it."""
    ratings = [
        (u, m, 4.0 if m == 8 else 5.0 if u % 2 == m % 2 else 1.0, 900_000_000 + u * 100 + m)
        for u in range(1, N_USERS + 1)
        for m in range(1, N_MOVIES + 1)
        if rated(u, m)
    ]
    movies = [
        (m, TITLES.get(m, f"Planted {m} ({1970 + m})"), ["Drama", "War"] if m % 2 else ["Comedy"])
        for m in range(1, N_MOVIES + 1)
    ]
    return Planted(ratings=ratings, movies=movies)


def train(data: DataDir, lake: Manifest, variant: str, seed: int) -> Run:
    """Train a variant quickly, in this process."""
    recipe = VARIANTS[variant].but(epochs=8, batch_size=16, lr_max=0.02)
    spec = RunSpec(lake=lake.path, runs=data.runs, recipe=recipe, seed=seed, device="cpu")
    train_run(spec)
    return load_run(spec.folder)


def publish_planted(root: Path) -> Published:
    """Write the archive, take it in, train and publish."""
    data = DataDir(root / "data")
    archive = write_archive(root / "planted.zip", ML_LATEST_SMALL, rows())
    source = find_archive(ML_LATEST_SMALL, data, archive=archive, trust=True)
    lake, _ = ingest(source, data)
    runs = [train(data, lake, variant, 42) for variant in VARIANTS_TRAINED]
    made = Published(data=data, lake=lake, runs=runs)
    made.publish()
    return made


def ask(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return con.execute(sql).fetchall()
