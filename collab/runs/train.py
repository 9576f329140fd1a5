"""Train one run in this process and commit its folder."""

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from collab.base.files import commit_folder, is_whole, write_json
from collab.base.machine import peak_memory_mib
from collab.dataset.dataset import Dataset
from collab.dataset.rows import Rows
from collab.dataset.vocabulary import UNKNOWN
from collab.estimators.api import (
    Context,
    Fitted,
    HasChains,
    HasFactors,
    HasUncertainty,
    SlowToList,
)
from collab.runs.errors import Errors, measure
from collab.runs.ranking import Ranking, rank
from collab.runs.record import LARGEST_GAP, SCHEMA
from collab.runs.reliability import reliability
from collab.runs.spec import RunSpec
from collab.runs.write import write_metrics, write_predictions, write_reliability

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "duckdb", "safetensors")
ROWS_COMPARED = 100_000  # at once; where none validates, so many training rows


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A pass as it is reported: its number from 1, training loss, errors, seconds.

    The seconds are those of learning; evaluation is not counted.
    """

    number: int
    passes: int
    train_loss: float
    valid: Errors | None
    seconds: float


OnPass = Callable[[Progress], None]


def train_run(
    spec: RunSpec, *, force: bool = False, on_pass: OnPass = lambda progress: None
) -> bool:
    """Train, evaluate and commit a run in this process; nothing to do where it is committed.

    Returns:
        Whether it was trained now.

    Raises:
        CollabError: learning diverged.
    """
    return commit_folder(spec.folder, lambda folder: build_run(folder, spec, on_pass), force=force)


def build_run(folder: Path, spec: RunSpec, on_pass: OnPass) -> None:
    """Fill a run folder."""
    started, stages = datetime.now(UTC), Stages()
    dataset, device = spec.rows, torch.device(spec.device)
    train, valid = dataset.train(), dataset.valid()
    stages.end("load")
    context = Context.of(dataset, spec.seed, device)
    history: list[Progress] = []
    for fitted, seconds in timed(fits(spec, train, context)):
        predicted = fitted.predict(valid)
        progress = Progress(
            number=len(history) + 1,
            passes=spec.recipe.estimator.passes,
            train_loss=fitted.train_loss,
            valid=measure(predicted, valid.ratings),
            seconds=seconds,
        )
        history.append(progress)
        on_pass(progress)
        if spec.ends_after(progress.number, progress.valid.mse if progress.valid else None):
            break
    gap = factors_gap(fitted, valid if len(valid) else train.take(slice(ROWS_COMPARED)))
    sd = fitted.spread(valid) if isinstance(fitted, HasUncertainty) else None
    stages.end("train")
    ranking = ranked(fitted, dataset, gap)
    stages.end("rank")
    write_predictions(folder, dataset, valid, predicted, sd)
    write_reliability(folder, reliability(fitted, valid, predicted))
    write_metrics(folder, history, ranking)
    fitted.save(folder)
    stages.end("write")
    record = {
        **of_spec(spec),
        **of_dataset(dataset),
        **errors(predicted, valid),
        "passes": len(history),
        "factors_gap": gap,
        "n_parameters": fitted.n_parameters,
        "started_at": started.isoformat(timespec="seconds"),
        "train_seconds": sum(progress.seconds for progress in history),
        "seconds": sum(stage["seconds"] for stage in stages.ended.values()),
        "stages": stages.ended,
        **machine(device),
    }
    write_json(folder / "run.json", record)


def fits(spec: RunSpec, train: Rows, context: Context) -> Iterator[Fitted]:
    """The models of a run; of chains that are committed runs themselves, merged from these."""
    estimator, parts = spec.recipe.estimator, spec.chains()
    if not parts or not all(is_whole(part.folder) for part in parts):
        yield from estimator.fit(train, context)
        return
    assert isinstance(estimator, HasChains)
    models: list[Fitted] = []
    for part in parts:
        models.append(part.recipe.estimator.load(part.folder))
        yield estimator.merge(models)


def timed(fits: Iterator[Fitted]) -> Iterator[tuple[Fitted, float]]:
    """Each model with the seconds that its pass took."""
    while True:
        start = time.perf_counter()
        fitted = next(fits, None)
        if fitted is None:
            return
        yield fitted, time.perf_counter() - start


def factors_gap(fitted: Fitted, rows: Rows) -> float | None:
    """The largest difference, stars, between predictions and those of the factors, if any."""
    if not isinstance(fitted, HasFactors):
        return None
    factors = fitted.factors()
    gaps = []
    for start in range(0, len(rows), ROWS_COMPARED):  # a row for each pair would fill the memory
        part = rows.take(slice(start, start + ROWS_COMPARED))
        gaps.append((factors.predict(part.users, part.items) - fitted.predict(part)).abs().max())
    gap = float(torch.stack(gaps).max())
    return gap if gap == gap else float("inf")  # NaN: they cannot be compared


def ranked(fitted: Fitted, dataset: Dataset, gap: float | None) -> Ranking | None:
    """How good the lists of a model are; not asked of the trials of a search."""
    if dataset.protocol.inner or not dataset.n_valid or isinstance(fitted, SlowToList):
        return None
    repeated = dataset.tensor("valid_repeated")
    explained = gap is not None and gap <= LARGEST_GAP
    return rank(fitted, dataset.train(), dataset.valid(), repeated, by_factors=explained)


def of_spec(spec: RunSpec) -> dict[str, Any]:
    """What the record says of the spec."""
    return {
        "schema": SCHEMA,
        "run_id": spec.run_id,
        "key": spec.key,
        "variant": spec.recipe.name,
        "recipe": spec.recipe.to_json(),
        "uses_time": spec.recipe.estimator.uses_time,
        "seed": spec.seed,
    }


def of_dataset(dataset: Dataset) -> dict[str, Any]:
    """What the record says of the dataset."""
    copied = (
        "edition", "archive_sha256", "data_fingerprint", "as_of", "n_train", "n_valid", "n_users",
        "n_items", "unknown_user_rows", "unknown_item_rows", "repeated_rows",
    )  # fmt: skip
    return {
        **{name: getattr(dataset, name) for name in copied},
        "dataset": dataset.name,
        "dataset_key": dataset.key,
        "protocol": asdict(dataset.protocol),
    }


def errors(predicted: Tensor, valid: Rows) -> dict[str, float | None]:
    """The errors on all rows, on those of a user and an item seen in training, on the others."""
    warm = (valid.users != UNKNOWN) & (valid.items != UNKNOWN)
    parts = {"warm_mse": warm, "cold_mse": ~warm}
    measured = {name: measure(predicted[at], valid.ratings[at]) for name, at in parts.items()}
    every = measure(predicted, valid.ratings)
    of_all = asdict(every) if every else dict.fromkeys(("mse", "rmse", "mae"))
    return {**of_all, **{name: found and found.mse for name, found in measured.items()}}


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
