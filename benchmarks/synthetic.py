"""A made-up edition of any size with made-up runs: as large as the real one, and learnt nothing."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import torch

from collab.base.files import write_json
from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.estimators.recipes import FAITHFUL, RECIPES
from collab.estimators.sgd.estimator import wrap
from collab.evaluation.standings import evaluate
from collab.lake import SCHEMA, Manifest, load_manifest
from collab.release.publish import Release
from collab.runs.errors import Errors
from collab.runs.record import SCHEMA as RUN_SCHEMA
from collab.runs.record import Run, RunRecord, load_run
from collab.runs.train import Progress
from collab.runs.write import write_metrics, write_predictions

CHAMPION = "embedding_dot_bias"
AT = "2026-01-01T00:00:00+00:00"
HELD = ("user_movie_unique", "movie_id_unique", "user_id_unique")  # by how the rows are made
ERRORS = Errors(mse=1.0, rmse=1.0, mae=1.0)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Rows of an edition."""

    ratings: int
    users: int
    movies: int


SIZES = {
    "ml-100k": Size(ratings=100_000, users=943, movies=1_682),
    "ml-1m": Size(ratings=1_000_209, users=6_040, movies=3_883),
    "ml-10m": Size(ratings=10_000_054, users=69_878, movies=10_681),
    "ml-32m": Size(ratings=32_000_204, users=200_948, movies=87_585),
}


def make_edition(data: DataDir, edition: str) -> Release:
    """A folder of the lake, its datasets, and a run folder for every variant of the chapter."""
    lake = make_lake(data.lake / edition / "synthetic", edition, SIZES[edition])
    split, _ = make_dataset(lake, Protocol(), data)
    every, _ = make_dataset(lake, Protocol(name="all"), data)
    runs = [make_run(data, split, name) for name in FAITHFUL]
    return Release(lake=lake, evaluation=evaluate(runs), refit=make_run(data, every, CHAMPION))


def make_lake(folder: Path, edition: str, size: Size) -> Manifest:
    """Parquet of ratings, movies and users, as `collab.lake` writes it."""
    folder.mkdir(parents=True)
    tables = {
        # 7919 is a prime that divides no number of movies here: no user rates a movie twice
        "ratings": f"""
            SELECT i::BIGINT AS position, (i % {size.users} + 1)::INTEGER AS user_id,
                   ((i % {size.users} * 31 + i // {size.users} * 7919) % {size.movies} + 1)
                       ::INTEGER AS movie_id,
                   (hash(i) % 10 / 2 + 0.5)::FLOAT AS rating, (900000000 + i)::BIGINT AS ts
            FROM range({size.ratings}) AS t(i) ORDER BY user_id, ts""",
        "movies": f"""
            SELECT (i + 1)::INTEGER AS movie_id, (i + 1)::INTEGER AS item_id,
                   'Movie ' || i || ' (' || (1950 + i % 70) || ')' AS title,
                   (1950 + i % 70)::SMALLINT AS release_year, ['Drama', 'Comedy'] AS genres
            FROM range({size.movies}) AS t(i)""",
        "users": f"""
            SELECT (i + 1)::INTEGER AS user_id, NULL::SMALLINT AS age, NULL::VARCHAR AS gender,
                   NULL::VARCHAR AS occupation, NULL::VARCHAR AS zip_code
            FROM range({size.users}) AS t(i)""",
    }
    with duckdb.connect() as con:
        for name, query in tables.items():
            con.sql(query).write_parquet(str(folder / f"{name}.parquet"), compression="zstd")
    passed = {"severity": "error", "passed": True, "failures": 0, "first_rows": "[]"}
    write_json(folder / "checks.json", [{"name": name, **passed} for name in HELD])
    record = {
        "schema": SCHEMA,
        "edition": edition,
        "fingerprint": "synthetic",
        "committed_at": AT,
        "item_key": "movie",
        "counts": {"ratings": size.ratings, "movies": size.movies, "users": size.users},
        "source": {"origin": "made up", "warnings": [], "sha256": "synthetic"},
    }
    write_json(folder / "manifest.json", record)
    return load_manifest(folder)


def make_run(data: DataDir, dataset: Dataset, name: str) -> Run:
    """A run folder of one variant; the champion alone has weights, drawn and never trained."""
    folder = data.runs / f"{dataset.name}-{name}"
    folder.mkdir(parents=True)
    write_tables(folder, dataset, data.root / f"{dataset.name}-shared")
    if name == CHAMPION:
        estimator, _ = FAITHFUL[name]
        sizes = len(dataset.users), len(dataset.items)
        wrap(estimator.build(*sizes, torch.Generator().manual_seed(0)), sizes).save(folder)
    write_json(folder / "run.json", asdict(run_record(folder.name, dataset, name)))
    return load_run(folder)


def write_tables(folder: Path, dataset: Dataset, shared: Path) -> None:
    """Predictions and history of a run: one set of files for all of a dataset, linked."""
    if not shared.exists():
        shared.mkdir()
        valid = dataset.valid()
        noise = torch.rand(len(valid), generator=torch.Generator().manual_seed(0))
        write_predictions(shared, dataset, valid, valid.ratings + noise, None)
        write_metrics(shared, [progress(number) for number in range(1, 6)])
    for file in shared.iterdir():
        os.link(file, folder / file.name)


def progress(number: int) -> Progress:
    """An epoch as it is reported."""
    return Progress(number=number, passes=5, train_loss=1.0, valid=ERRORS, seconds=1.0)


def run_record(run_id: str, dataset: Dataset, name: str) -> RunRecord:
    """What `run.json` says."""
    measured = bool(dataset.n_valid)
    return RunRecord(
        schema=RUN_SCHEMA,
        run_id=run_id,
        key=run_id,
        edition=dataset.edition,
        archive_sha256=dataset.archive_sha256,
        data_fingerprint=dataset.data_fingerprint,
        dataset=dataset.name,
        dataset_key=dataset.key,
        protocol=dataset.protocol,
        as_of=None,
        variant=name,
        recipe=RECIPES[name].to_json(),
        uses_time=False,
        seed=42,
        passes=5,
        factors_gap=0.0 if name == CHAMPION else None,
        n_train=dataset.n_train,
        n_valid=dataset.n_valid,
        n_users=dataset.n_users,
        n_items=dataset.n_items,
        n_parameters=51 * (dataset.n_users + dataset.n_items),
        unknown_user_rows=dataset.unknown_user_rows,
        unknown_item_rows=dataset.unknown_item_rows,
        repeated_rows=dataset.repeated_rows,
        mse=ERRORS.mse if measured else None,
        rmse=ERRORS.rmse if measured else None,
        mae=ERRORS.mae if measured else None,
        warm_mse=None,
        cold_mse=None,
        started_at=AT,
        train_seconds=1.0,
        seconds=1.0,
        stages={},
        device="cpu",
        device_name="none",
        threads=1,
        peak_memory_mib=1,
        versions={},
    )
