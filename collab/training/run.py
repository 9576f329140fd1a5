"""A training run: from a committed lake folder to a committed run folder.

A run folder holds `run.json` (recipe, seed, device, versions, fingerprints, counts, errors),
`metrics.parquet` (epoch, split, metric, value), `predictions.parquet` (one row for each validation
rating), `vocabulary.parquet` (entity, idx, id) and `model.safetensors`.
"""

import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from collab.files import commit_folder, read_json, write_json
from collab.fingerprint import code_digest, fingerprint
from collab.lake import Manifest, load_manifest
from collab.training.evaluate import measure, predict
from collab.training.fit import Epoch, fit
from collab.training.interactions import Interactions, Ratings, encode, load_ratings
from collab.training.recipe import Recipe
from collab.training.split import VALID_PCT, Split, random_split
from collab.training.vocabulary import UNKNOWN, Vocabulary

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "duckdb", "safetensors")


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What a run is made of: data, recipe, seed and the kind of device.

    lake: a committed folder of the lake.
    runs: the folder of all runs.
    device: `cpu`, `cuda` or `mps`; which CUDA device is not part of a run's identity.
    """

    lake: Path
    runs: Path
    recipe: Recipe
    seed: int
    device: str
    valid_pct: float = VALID_PCT

    @property
    def key(self) -> str:
        """Hex sha256 of all that the result depends on: content, settings, code, torch."""
        return fingerprint(
            data=load_manifest(self.lake).fingerprint,
            recipe=self.recipe.to_json(),
            seed=self.seed,
            device=self.device,
            valid_pct=self.valid_pct,
            code=code_digest("models", "training"),
            torch=version("torch"),
        )

    @property
    def run_id(self) -> str:
        """Edition, variant and the key's beginning."""
        return f"{load_manifest(self.lake).edition}-{self.recipe.name}-{self.key[:12]}"

    @property
    def folder(self) -> Path:
        """Where the run is committed."""
        return self.runs / self.run_id

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a child process."""
        paths = {"lake": str(self.lake), "runs": str(self.runs)}
        return {**vars(self), **paths, "recipe": self.recipe.to_json()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "RunSpec":
        """The spec that `to_json` wrote."""
        changed = {"lake": Path(record["lake"]), "runs": Path(record["runs"])}
        return cls(**{**record, **changed, "recipe": Recipe.from_json(record["recipe"])})


@dataclass(frozen=True, kw_only=True)
class Run:
    """A committed run: its folder and the record in its `run.json`."""

    folder: Path
    record: dict[str, Any]

    @property
    def run_id(self) -> str:
        """The run's name."""
        return str(self.record["run_id"])


def load_run(folder: Path) -> Run:
    """Read a committed run's record."""
    return Run(folder=folder, record=read_json(folder / "run.json"))


def committed_runs(runs: Path) -> list[Run]:
    """All committed runs, oldest first."""
    found = [load_run(file.parent) for file in runs.glob("*/run.json")]
    return sorted(found, key=lambda run: (run.record["started_at"], run.run_id))


def train_run(
    spec: RunSpec, *, force: bool = False, on_epoch: Callable[[Epoch], None] = lambda epoch: None
) -> bool:
    """Train, evaluate and commit a run in this process; nothing to do where it is committed.

    Returns:
        Whether it was trained now.

    Raises:
        CollabError: the loss diverged.
    """
    return commit_folder(spec.folder, lambda folder: build_run(folder, spec, on_epoch), force=force)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Ratings split and encoded for one run."""

    ratings: Ratings
    split: Split
    users: Vocabulary
    items: Vocabulary
    train: Interactions
    valid: Interactions


def prepare(lake: Manifest, spec: RunSpec, device: torch.device) -> Prepared:
    """Load, split, and encode by what the training rows hold."""
    ratings = load_ratings(lake)
    split = random_split(len(ratings), spec.seed, spec.valid_pct)
    users = Vocabulary.of("user", ratings.user_id[split.train.numpy()])
    items = Vocabulary.of("item", ratings.item_id[split.train.numpy()])
    return Prepared(
        ratings=ratings,
        split=split,
        users=users,
        items=items,
        train=encode(ratings, split.train, users, items, device),
        valid=encode(ratings, split.valid, users, items, device),
    )


def build_run(folder: Path, spec: RunSpec, on_epoch: Callable[[Epoch], None]) -> None:
    """Fill a run folder."""
    started = datetime.now(UTC)
    start = time.perf_counter()
    lake = load_manifest(spec.lake)
    device = torch.device(spec.device)
    rows = prepare(lake, spec, device)
    recipe = spec.recipe.sized(len(rows.users), len(rows.items))
    weights_from = torch.Generator().manual_seed(spec.seed)
    model = recipe.build(len(rows.users), len(rows.items), weights_from).to(device)
    shuffles_from = torch.Generator(device).manual_seed(spec.seed)
    history = fit(model, rows.train, rows.valid, recipe, generator=shuffles_from, on_epoch=on_epoch)
    predicted = predict(model, rows.valid)
    write_predictions(folder, rows, predicted.cpu().numpy())
    write_vocabulary(folder, rows)
    pd.DataFrame(metric_rows(history)).to_parquet(folder / "metrics.parquet", index=False)
    save_file(
        # a copy of each: training made them views into shared buffers
        {
            name: torch.clone(t, memory_format=torch.contiguous_format).cpu()
            for name, t in model.state_dict().items()
        },
        folder / "model.safetensors",
    )
    record = {
        "run_id": spec.run_id,
        "key": spec.key,
        "edition": lake.edition,
        "data_fingerprint": lake.fingerprint,
        "variant": spec.recipe.name,
        "recipe": spec.recipe.to_json(),
        "batch_size": min(recipe.batch_size, len(rows.train)),
        "seed": spec.seed,
        "valid_pct": spec.valid_pct,
        **counts(rows, model),
        **asdict(measure(predicted, rows.valid.ratings)),
        "started_at": started.isoformat(timespec="seconds"),
        "train_seconds": sum(epoch.seconds for epoch in history),
        "seconds": time.perf_counter() - start,
        **machine(device),
    }
    write_json(folder / "run.json", record)


def counts(rows: Prepared, model: torch.nn.Module) -> dict[str, int]:
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "device": device.type,
        "device_name": name,
        "threads": torch.get_num_threads(),
        "peak_memory_mib": peak // (1024 if sys.platform == "linux" else 1024 * 1024),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def metric_rows(history: list[Epoch]) -> Iterator[dict[str, Any]]:
    """The history in long form: epoch, split, metric, value."""
    for epoch in history:
        yield _row(epoch.epoch, "train", "loss", epoch.train_loss)
        yield _row(epoch.epoch, "train", "seconds", epoch.seconds)
        for metric, value in asdict(epoch.valid).items():
            yield _row(epoch.epoch, "valid", metric, value)


def _row(epoch: int, split: str, metric: str, value: float) -> dict[str, Any]:
    return {"epoch": epoch, "split": split, "metric": metric, "value": value}


def write_predictions(folder: Path, rows: Prepared, predicted: Any) -> None:
    """`predictions.parquet`: the validation rows with their ids, rating and prediction."""
    at = rows.split.valid.numpy()
    table = pd.DataFrame(
        {
            "position": at,
            "user_id": rows.ratings.user_id[at].astype(np.int32),
            "movie_id": rows.ratings.movie_id[at].astype(np.int32),
            "rating": rows.ratings.rating[at],
            "prediction": predicted,
            "user_known": (rows.valid.users != UNKNOWN).cpu().numpy(),
            "item_known": (rows.valid.items != UNKNOWN).cpu().numpy(),
        }
    )
    table.sort_values("position").to_parquet(folder / "predictions.parquet", index=False)


def write_vocabulary(folder: Path, rows: Prepared) -> None:
    """`vocabulary.parquet`: which row of an embedding belongs to which id; index 0 is unknown."""
    parts = [
        pd.DataFrame(
            {
                "entity": words.entity,
                "idx": np.arange(1, len(words), dtype=np.int32),
                "id": words.ids.astype(np.int32),
            }
        )
        for words in (rows.users, rows.items)
    ]
    pd.concat(parts).to_parquet(folder / "vocabulary.parquet", index=False)
