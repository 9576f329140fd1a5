"""Train one run in this process and commit its folder."""

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from collab.base.files import commit_folder, write_json
from collab.base.journal import peak_memory_mib
from collab.lake import load_manifest
from collab.evaluation.errors import Errors, measure, predict
from collab.estimators.sgd.fit import fit
from collab.dataset.interactions import load_ratings
from collab.dataset.prepare import Prepared, prepare
from collab.estimators.sgd.recipe import Recipe
from collab.runs.run import RunSpec
from collab.dataset.split import random_split
from collab.dataset.vocabulary import UNKNOWN
from collab.runs.write import write_predictions, write_vocabulary, write_weights

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "duckdb", "safetensors")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """An epoch as it is reported: mean training loss, errors on the validation rows, seconds.

    The seconds are those of training; evaluation is not counted.
    """

    epoch: int
    train_loss: float
    valid: Errors
    seconds: float


OnEpoch = Callable[[Progress], None]


def train_run(
    spec: RunSpec, *, force: bool = False, on_epoch: OnEpoch = lambda progress: None
) -> bool:
    """Train, evaluate and commit a run in this process; nothing to do where it is committed.

    Returns:
        Whether it was trained now.

    Raises:
        CollabError: the loss diverged.
    """
    return commit_folder(spec.folder, lambda folder: build_run(folder, spec, on_epoch), force=force)


def build_run(folder: Path, spec: RunSpec, on_epoch: OnEpoch) -> None:
    """Fill a run folder."""
    started, stages = datetime.now(UTC), Stages()
    lake = load_manifest(spec.lake)
    ratings = load_ratings(lake)
    device = torch.device(spec.device)
    rows = prepare(ratings, random_split(len(ratings), spec.seed, spec.valid_pct), device)
    recipe = spec.recipe.sized(len(rows.users), len(rows.items))
    stages.end("load")
    weights_from = torch.Generator().manual_seed(spec.seed)
    model = recipe.build(len(rows.users), len(rows.items), weights_from).to(device)
    history = list(train_and_evaluate(model, rows, recipe, spec.seed, on_epoch))
    predicted = predict(model, rows.valid)
    stages.end("train")
    write_predictions(folder, rows, predicted.cpu().numpy())
    write_vocabulary(folder, rows)
    write_weights(folder, model)
    pd.DataFrame(metric_rows(history)).to_parquet(folder / "metrics.parquet", index=False)
    stages.end("write")
    record = {
        "run_id": spec.run_id,
        "key": spec.key,
        "edition": lake.edition,
        "archive_sha256": lake.source["sha256"],
        "data_fingerprint": lake.fingerprint,
        "variant": recipe.name,
        "recipe": spec.recipe.to_json(),
        "batch_size": min(recipe.batch_size, len(rows.train)),
        "seed": spec.seed,
        "valid_pct": spec.valid_pct,
        **counts(rows, model),
        **asdict(measure(predicted, rows.valid.ratings)),
        "started_at": started.isoformat(timespec="seconds"),
        "train_seconds": sum(progress.seconds for progress in history),
        "seconds": sum(stage["seconds"] for stage in stages.ended.values()),
        "stages": stages.ended,
        **machine(device),
    }
    write_json(folder / "run.json", record)


class Stages:
    """Seconds of each stage of a run, and the peak memory of the process up to its end."""

    def __init__(self) -> None:
        """The first stage begins."""
        self.began = time.perf_counter()
        self.ended: dict[str, dict[str, float]] = {}

    def end(self, name: str) -> None:
        """This stage ends and the next begins."""
        now = time.perf_counter()
        self.ended[name] = {"seconds": now - self.began, "peak_memory_mib": peak_memory_mib()}
        self.began = now


def train_and_evaluate(
    model: nn.Module, rows: Prepared, recipe: Recipe, seed: int, on_epoch: OnEpoch
) -> Iterator[Progress]:
    """Train by the recipe and measure the validation rows after each epoch."""
    shuffles_from = torch.Generator(rows.train.device).manual_seed(seed)
    for epoch in fit(model, rows.train, recipe, generator=shuffles_from):
        progress = Progress(
            epoch=epoch.number,
            train_loss=epoch.loss,
            valid=measure(predict(model, rows.valid), rows.valid.ratings),
            seconds=epoch.seconds,
        )
        on_epoch(progress)
        yield progress


def counts(rows: Prepared, model: nn.Module) -> dict[str, int]:
    """Sizes, and how many validation rows have a user or an item that training never saw."""
    return {
        "n_train": len(rows.train),
        "n_valid": len(rows.valid),
        "n_users": len(rows.users) - 1,
        "n_items": len(rows.items) - 1,
        "n_parameters": sum(parameter.numel() for parameter in model.parameters()),
        "unknown_user_rows": int((rows.valid.users == UNKNOWN).sum()),
        "unknown_item_rows": int((rows.valid.items == UNKNOWN).sum()),
    }


def machine(device: torch.device) -> dict[str, Any]:
    """Where a run was made: device, threads, peak memory so far, versions."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": device.type,
        "device_name": name,
        "threads": torch.get_num_threads(),
        "peak_memory_mib": peak_memory_mib(),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def metric_rows(history: list[Progress]) -> Iterator[dict[str, Any]]:
    """The history in long form: epoch, split, metric, value."""
    for at in history:
        yield _row(at.epoch, "train", "loss", at.train_loss)
        yield _row(at.epoch, "train", "seconds", at.seconds)
        for metric, value in asdict(at.valid).items():
            yield _row(at.epoch, "valid", metric, value)


def _row(epoch: int, split: str, metric: str, value: float) -> dict[str, Any]:
    return {"epoch": epoch, "split": split, "metric": metric, "value": value}
