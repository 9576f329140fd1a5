"""A made-up edition of any size with made-up runs: as large as the real one, and learnt nothing."""

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from collab.base.files import write_json
from collab.lake import Manifest, load_manifest
from collab.base.paths import DataDir
from collab.estimators.recipes import VARIANTS
from collab.runs.run import Run, committed_runs

FACTORS = 50
CHAMPION = "embedding_dot_bias"


@dataclass(frozen=True, kw_only=True)
class Size:
    """Rows of an edition."""

    ratings: int
    users: int
    movies: int


SIZES = {
    "ml-100k": Size(ratings=100_000, users=943, movies=1_682),
    "ml-1m": Size(ratings=1_000_209, users=6_040, movies=3_883),
    "ml-32m": Size(ratings=32_000_204, users=200_948, movies=87_585),
}


def make_edition(data: DataDir, edition: str) -> tuple[Manifest, list[Run]]:
    """A folder of the lake and a run folder for every variant."""
    size = SIZES[edition]
    lake = make_lake(data.lake / edition / "synthetic", edition, size)
    make_runs(data.runs, lake, size)
    return lake, committed_runs(data.runs)


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
    passed = {"name": "made_up", "severity": "error", "failures": 0, "first_rows": "[]"}
    write_json(folder / "checks.json", [{**passed, "passed": True}])
    record = {
        "edition": edition,
        "fingerprint": "synthetic",
        "item_key": "movie",
        "counts": {"ratings": size.ratings, "movies": size.movies, "users": size.users},
        "source": {"origin": "made up", "warnings": []},
    }
    write_json(folder / "manifest.json", record)
    return load_manifest(folder)


def make_runs(runs: Path, lake: Manifest, size: Size) -> None:
    """Run folders of all variants; one set of files, linked, but for the weights."""
    shared = runs.parent / "shared"
    shared.mkdir(parents=True)
    named = [
        ("train", "loss"),
        ("train", "seconds"),
        *(("valid", m) for m in ("mse", "rmse", "mae")),
    ]
    metrics = [
        {"epoch": epoch, "split": split, "metric": metric, "value": 1.0}
        for epoch in range(1, 6)
        for split, metric in named
    ]
    pd.DataFrame(metrics).to_parquet(shared / "metrics.parquet")
    write_vocabulary(shared / "vocabulary.parquet", size)
    write_predictions(shared / "predictions.parquet", lake)
    for number, name in enumerate(VARIANTS):
        folder = runs / name
        folder.mkdir(parents=True)
        for file in shared.iterdir():
            os.link(file, folder / file.name)
        save_file(weights(size, name), folder / "model.safetensors")
        mse = 0.5 if name == CHAMPION else 1.0 + number
        write_json(folder / "run.json", run_record(name, lake, size, mse))


def write_vocabulary(path: Path, size: Size) -> None:
    """Every user and every movie was seen in training."""
    parts = [
        pd.DataFrame({"entity": entity, "idx": ids, "id": ids})
        for entity, n in (("user", size.users), ("item", size.movies))
        for ids in [np.arange(1, n + 1, dtype=np.int32)]
    ]
    pd.concat(parts).to_parquet(path, index=False)


def write_predictions(path: Path, lake: Manifest) -> None:
    """A prediction for every fifth rating."""
    with duckdb.connect() as con:
        con.sql(
            "SELECT position, user_id, movie_id, rating, (rating + hash(position) % 100 / 100.0)"
            "::FLOAT AS prediction, true AS user_known, true AS item_known "
            f"FROM read_parquet('{lake.ratings}') WHERE position % 5 = 0"
        ).write_parquet(str(path), compression="zstd")


def weights(size: Size, name: str) -> dict[str, np.ndarray]:
    """Random weights for the champion; the others are asked for the names of theirs alone."""
    if name != CHAMPION:
        return {"nothing": np.zeros(1, dtype=np.float32)}
    random = np.random.default_rng(0)
    found = {}
    for entity, n in (("user", size.users), ("item", size.movies)):
        for part, width in (("factors", FACTORS), ("bias", 1)):
            values = random.standard_normal((n + 1, width), dtype=np.float32)
            found[f"{entity}_{part}.weight"] = values
    return found


def run_record(name: str, lake: Manifest, size: Size, mse: float) -> dict[str, object]:
    """What `run.json` says."""
    return {
        "run_id": name,
        "key": name,
        "edition": lake.edition,
        "data_fingerprint": lake.fingerprint,
        "variant": name,
        "recipe": VARIANTS[name].to_json(),
        "seed": 42,
        "valid_pct": 0.2,
        "batch_size": 64,
        "n_train": size.ratings - size.ratings // 5,
        "n_valid": size.ratings // 5,
        "n_users": size.users,
        "n_items": size.movies,
        "n_parameters": (size.users + size.movies) * (FACTORS + 1),
        "unknown_user_rows": 0,
        "unknown_item_rows": 0,
        **{"mse": mse, "rmse": mse**0.5, "mae": mse},
        "started_at": "2026-01-01T00:00:00+00:00",
        **{"train_seconds": 1.0, "seconds": 1.0, "peak_memory_mib": 1},
        **{"device": "cpu", "device_name": "none", "threads": 1, "versions": {}},
    }
