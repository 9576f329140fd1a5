"""A data folder as commit b804ab6 left it: records without a version, one edition in `serve`."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from collab.base.files import read_json, seal, write_json
from collab.base.paths import DataDir
from collab.lake import Manifest

FINGERPRINT = "0123456789abcdef" * 4
RUN = "ml-latest-small-dot_product_bias_wd-0123456789ab"
SETTINGS: dict[str, Any] = {
    "epochs": 5, "batch_size": 64, "batch_share": 0.0, "lr_max": 5e-3, "div": 25.0,
    "div_final": 1e5, "pct_start": 0.25, "momentum": [0.95, 0.85, 0.95], "beta2": 0.99,
    "eps": 1e-5, "wd": 0.1,
}  # fmt: skip
RECIPE = {
    "name": "dot_product_bias_wd",
    "model": "collab.models.dot_product:DotProductBias",
    "arguments": {"n_factors": 50, "y_range": [0, 5.5]},
    **SETTINGS,
}


def write_older(data: DataDir, lake: Manifest) -> None:
    """Lake, run and publication, as if they had been made of the same ratings."""
    write_lake(data.lake / lake.edition / FINGERPRINT[:16], lake)
    write_run(data.runs / RUN, lake)
    write_serve(data.serve, lake)


def write_lake(folder: Path, lake: Manifest) -> None:
    """`manifest.json` names no version, and there are no folds."""
    folder.mkdir(parents=True)
    for name in ("ratings", "movies", "users"):
        shutil.copyfile(lake.path / f"{name}.parquet", folder / f"{name}.parquet")
    shutil.copyfile(lake.path / "checks.json", folder / "checks.json")
    known = read_json(lake.path / "manifest.json")
    named = ("edition", "item_key", "counts", "source")
    record = {name: known[name] for name in named}
    # later than what is there now: read, it would be the newest
    written = {"fingerprint": FINGERPRINT, "committed_at": "2999-01-01T00:00:00+00:00"}
    write_json(folder / "manifest.json", {**record, **written})
    seal(folder)


def write_run(folder: Path, lake: Manifest, **changed: Any) -> None:
    """`run.json` as `collab.training.train` wrote it, and the files that stood beside it."""
    folder.mkdir(parents=True)
    errors = {"mse": 0.8, "rmse": 0.8**0.5, "mae": 0.7}
    rows = {"n_train": 720, "n_valid": 180, "n_users": 40, "n_items": 30}
    stage = {"seconds": 0.5, "peak_memory_mib": 300}
    record = {
        "run_id": folder.name,
        "key": FINGERPRINT,
        "edition": lake.edition,
        "archive_sha256": lake.source["sha256"],
        "data_fingerprint": lake.fingerprint,
        "variant": "dot_product_bias_wd",
        "recipe": RECIPE,
        "batch_size": 64,
        "seed": 42,
        "valid_pct": 0.2,
        **rows,
        "n_parameters": 3672,
        "unknown_user_rows": 0,
        "unknown_item_rows": 0,
        **errors,
        "started_at": "2026-11-24T07:00:00+00:00",
        "train_seconds": 0.4,
        "seconds": 1.5,
        "stages": dict.fromkeys(("load", "train", "write"), stage),
        "device": "cpu",
        "device_name": "x86_64",
        "threads": 2,
        "peak_memory_mib": 300,
        "versions": {"python": "3.11.9", "torch": "2.13.0"},
    }
    write_json(folder / "run.json", {**record, **changed})
    metrics = [
        {"epoch": 1, "split": "valid", "metric": name, "value": v} for name, v in errors.items()
    ]
    pd.DataFrame(metrics).to_parquet(folder / "metrics.parquet")
    row = {"position": 0, "user_id": 1, "movie_id": 1, "rating": 5.0, "prediction": 4.0}
    known = {"user_known": True, "item_known": True}
    pd.DataFrame([{**row, **known}]).to_parquet(folder / "predictions.parquet")
    words = {"entity": "user", "idx": 1, "id": 1}
    pd.DataFrame([words]).to_parquet(folder / "vocabulary.parquet")
    (folder / "model.safetensors").write_bytes(b"weights")
    seal(folder)


def write_serve(serve: Path, lake: Manifest) -> None:
    """Snapshot 7 in `serve` itself, and all links through `current`."""
    folder = serve / "snapshots" / "000007"
    (folder / "parquet").mkdir(parents=True)
    with duckdb.connect(folder / "movielens.duckdb") as con:
        con.execute(
            "CREATE TABLE publish_info AS SELECT $edition AS edition", {"edition": lake.edition}
        )
        con.sql("FROM publish_info").write_parquet(str(folder / "parquet" / "publish_info.parquet"))
    (folder / "report.html").write_text("the older report")
    record = {
        "seq": 7,
        "key": FINGERPRINT,
        "edition": lake.edition,
        "archive_sha256": lake.source["sha256"],
        "data_fingerprint": lake.fingerprint,
        "variant": "dot_product_bias_wd",
        "seed": 42,
        "valid_pct": 0.2,
        "champion": RUN,
        "valid_mse": 1e-9,  # whatever is measured against it is refused
        "max_regression": 0.02,
        "compared_with": None,
        "regression": None,
        "published_at": "2026-11-24T07:10:00+00:00",
    }
    write_json(folder / "snapshot.json", record)
    seal(folder)
    (serve / "current").symlink_to("snapshots/000007")
    links = {"latest.json": "snapshot.json"}
    for name in ("movielens.duckdb", "parquet", "report.html", "latest.json"):
        (serve / name).symlink_to(f"current/{links.get(name, name)}")
