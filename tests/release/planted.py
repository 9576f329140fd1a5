"""A planted edition with titles worth looking for, trained and published by the real code."""

import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe
from collab.estimators.recipes import RECIPES
from collab.estimators.sgd.settings import Settings
from collab.evaluation.standings import evaluate
from collab.lake import Manifest, ingest, load_manifest
from collab.movielens.editions import ML_LATEST_SMALL, Edition
from collab.movielens.sources import find_archive
from collab.release.publish import Release, publish
from collab.release.snapshot import Snapshot
from collab.report import publish_report
from collab.runs.record import Run, load_run
from collab.runs.spec import RunSpec
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
FIRST_TS = 900_000_000
VARIANTS_TRAINED = ("dot_product_bias_wd", "embedding_nn")
QUICK: dict[str, Any] = {"epochs": 8, "batch_size": 16, "lr_max": 0.02}


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published, and from what.

    runs: of the leaderboard; the first has factors and biases and is the champion.
    confirmations: the same recipe as the first on a further split.
    """

    data: DataDir
    lake: Manifest
    runs: list[Run]
    confirmations: list[Run]

    def release(self, runs: list[Run] | None = None) -> Release:
        """What is to be published of some of the runs, all by default: the champion refitted."""
        evaluation = evaluate(runs or [*self.runs, *self.confirmations])
        champion = evaluation.champion.run
        moment = champion.record.as_of
        refit = self.train_recipe(
            champion.recipe,
            champion.record.seed,
            Protocol(name="all"),
            datetime.fromisoformat(moment) if moment else None,
        )
        return Release(lake=self.lake, evaluation=evaluation, refit=refit)

    def publish(self, runs: list[Run] | None = None, **options: Any) -> tuple[Snapshot, bool]:
        """Publish some of the runs, all by default."""
        return publish(self.release(runs), self.data, **options)

    def train(
        self,
        variant: str,
        seed: int = 42,
        protocol: Protocol | None = None,
        as_of: datetime | None = None,
    ) -> Run:
        """One more run, trained quickly, in this process."""
        return self.train_recipe(quick(variant), seed, protocol or Protocol(), as_of)

    def train_recipe(
        self, recipe: Recipe, seed: int, protocol: Protocol, as_of: datetime | None = None
    ) -> Run:
        """A run of any recipe."""
        dataset, _ = make_dataset(self.lake, protocol, self.data, as_of=as_of)
        spec = RunSpec(
            dataset=dataset.path, runs=self.data.runs, recipe=recipe, seed=seed, device="cpu"
        )
        train_run(spec)
        return load_run(spec.folder)

    def copy_to(self, root: Path) -> "Published":
        """The same in a folder of its own, to be changed."""
        data = DataDir(root)
        shutil.copytree(self.data.root, root, symlinks=True)
        lake = load_manifest(root / self.lake.path.relative_to(self.data.root))
        runs, confirmations = (
            [load_run(data.runs / run.run_id) for run in found]
            for found in (self.runs, self.confirmations)
        )
        return Published(data=data, lake=lake, runs=runs, confirmations=confirmations)

    @property
    def serve(self) -> Path:
        """Where the edition is served."""
        return self.data.serve / self.lake.edition


def quick(variant: str) -> Recipe:
    """A recipe that learns the planted ratings in a tenth of a second."""
    recipe = RECIPES[variant]
    if not isinstance(recipe.estimator, Settings):
        return recipe
    return replace(recipe, estimator=recipe.estimator.but(**QUICK))


def rated(user: int, movie: int) -> bool:
    """Three of four pairs are rated, every user and movie alike."""
    return (user + movie) % 4 != 0


def rows() -> Planted:
    """Even users love even movies, odd ones odd; four stars for movie 8 from all who rate it."""
    ratings = [
        (u, m, 4.0 if m == 8 else 5.0 if u % 2 == m % 2 else 1.0, FIRST_TS + u * 100 + m)
        for u in range(1, N_USERS + 1)
        for m in range(1, N_MOVIES + 1)
        if rated(u, m)
    ]
    movies = [
        (m, TITLES.get(m, f"Planted {m} ({1970 + m})"), ["Drama", "War"] if m % 2 else ["Comedy"])
        for m in range(1, N_MOVIES + 1)
    ]
    return Planted(ratings=ratings, movies=movies)


def take_in(data: DataDir, edition: Edition = ML_LATEST_SMALL) -> Manifest:
    """The planted rows as an archive of an edition, and that as Parquet."""
    data.root.mkdir(parents=True, exist_ok=True)
    archive = write_archive(data.root.parent / f"{edition.name}.zip", edition, rows())
    source = find_archive(edition, data, archive=archive, trust=True)
    return ingest(source, data)[0]


def publish_planted(root: Path, edition: Edition = ML_LATEST_SMALL) -> Published:
    """Write the archive, take it in, train, evaluate, refit, publish, report."""
    data = DataDir(root / "data")
    planted = Published(data=data, lake=take_in(data, edition), runs=[], confirmations=[])
    planted.runs.extend(planted.train(variant) for variant in VARIANTS_TRAINED)
    further = Protocol(split_seed=1)
    planted.confirmations.append(planted.train(VARIANTS_TRAINED[0], protocol=further))
    snapshot, _ = planted.publish()
    publish_report(snapshot)
    return planted


def ask(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return con.execute(sql).fetchall()
