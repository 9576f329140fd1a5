"""Records and folders of runs that no training made, for the tests of what reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from collab.base.files import seal, write_json
from collab.dataset.protocols import Protocol
from collab.estimators.recipes import RECIPES
from collab.runs.record import SCHEMA, Run, load_run

SEED_1 = Protocol(split_seed=1)


def record_values(**changes: Any) -> dict[str, Any]:
    """What stands in a `run.json`."""
    return {
        "schema": SCHEMA,
        "run_id": "ml-100k-als-0",
        "key": "0" * 64,
        "edition": "ml-100k",
        "archive_sha256": "a" * 64,
        "data_fingerprint": "f" * 64,
        "dataset": "ml-100k-random-42-0",
        "dataset_key": "d" * 64,
        "protocol": vars(Protocol()),
        "as_of": None,
        "variant": "als",
        "recipe": RECIPES["als"].to_json(),
        "uses_time": False,
        "seed": 42,
        "passes": 1,
        "factors_gap": 0.0,
        "n_train": 16,
        "n_valid": 4,
        "n_users": 4,
        "n_items": 4,
        "n_parameters": 41,
        "unknown_user_rows": 0,
        "unknown_item_rows": 0,
        "repeated_rows": 0,
        "mse": 1.0,
        "rmse": 1.0,
        "mae": 1.0,
        "warm_mse": 1.0,
        "cold_mse": None,
        "started_at": "2026-01-01T00:00:00+00:00",
        "train_seconds": 1.0,
        "seconds": 1.5,
        "stages": {"train": {"seconds": 1.0, "peak_memory_mib": 100}},
        "device": "cpu",
        "device_name": "x86_64",
        "threads": 1,
        "peak_memory_mib": 100,
        "versions": {"python": "3.11"},
        **changes,
    }


def write_run(
    runs: Path,
    run_id: str,
    errors: list[float] | None = None,
    repeated: list[bool] | None = None,
    **changes: Any,
) -> Run:
    """A committed run whose predictions are off by these errors, each of a user of its own.

    The record's `mse` is that of all of them, as it is of a real run.
    """
    found = np.array([1.0] * 4 if errors is None else errors)
    folder = runs / run_id
    folder.mkdir(parents=True)
    pd.DataFrame(
        {
            "position": np.arange(len(found), dtype=np.int32),
            "user_id": np.arange(len(found), dtype=np.int32) + 1,
            "rating": np.float32(3),
            "prediction": (3 + found).astype(np.float32),
            "repeated": repeated or [False] * len(found),
        }
    ).to_parquet(folder / "predictions.parquet", index=False)
    mse = float((found**2).mean()) if len(found) else None
    history = {"epoch": [1], "split": ["valid"], "metric": ["mse"], "value": [mse or 0.0]}
    pd.DataFrame(history).to_parquet(folder / "metrics.parquet", index=False)
    values = {"run_id": run_id, "n_valid": len(found), "mse": mse, **changes}
    write_json(folder / "run.json", record_values(**values))
    seal(folder)
    return load_run(folder)
