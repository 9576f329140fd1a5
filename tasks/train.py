"""Tasks: one training run each."""

import logging
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect import task, unmapped
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.runtime import flow_run

from collab.base.errors import CollabError
from collab.base.fingerprint import refuse_changed_code
from collab.base.journal import below, first_line, step
from collab.base.paths import DataDir
from collab.dataset.dataset import Dataset
from collab.estimators.api import Recipe, chains_of
from collab.runs.budget import size_of
from collab.runs.devices import find_slots, with_room
from collab.runs.launch import run_in_child
from collab.runs.record import Run
from collab.runs.spec import RunSpec
from collab.runs.stop import STOP, ended_with_us
from tasks.policy import may_retry

log = logging.getLogger("collab.train")

Wanted = tuple[Recipe, Dataset]
Job = tuple[Recipe, Dataset, int]  # and its seed
Result = tuple[Run, bool] | BaseException

PROGRESS_SECONDS = 5.0  # each step of the bar costs the server a few hundredths of a second


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Runs; how many of them were trained now; and what failed, each with the reason."""

    runs: list[Run]
    made: int = 0
    left_out: tuple[str, ...] = ()

    def __add__(self, other: "Trained") -> "Trained":
        """Both."""
        return Trained(
            runs=self.runs + other.runs,
            made=self.made + other.made,
            left_out=self.left_out + other.left_out,
        )


@task(task_run_name="train-{recipe.name}", retries=1, retry_condition_fn=may_retry)
def train_variant(
    recipe: Recipe, dataset: Dataset, data: DataDir, seed: int, device: str, force: bool
) -> tuple[Run, bool]:
    """Train one variant in a child process on the first free device."""
    require_here(dataset)
    slots = with_room(find_slots(device), recipe.estimator.cost(size_of(dataset)).mib)
    spec = RunSpec(
        dataset=dataset.path, runs=data.runs, recipe=recipe, seed=seed, device=slots[0].kind
    )
    show = show_progress(f"train-{recipe.name}".replace("_", "-"), spec)
    known = {"variant": recipe.name, "flow_run": flow_run.get_id()}
    with step(data, "train", edition=dataset.edition, **known) as entry:
        run, made = run_in_child(spec, slots, force=force, on_pass=show)
        entry["rows"], entry["where"] = run.record.n_train, below(data, run.folder)
        entry["outcome"] = "made" if made else "found"
        if made:  # the child's own: without the wait for a device
            entry["peak_memory_mib"] = run.record.peak_memory_mib
            entry["seconds"] = round(run.record.seconds, 3)
    return run, made


def require_here(dataset: Dataset) -> None:
    """Refuse to train where the dataset is not.

    Raises:
        CollabError: it is on another machine, which this one shares no data folder with.
    """
    if not dataset.path.is_dir():
        raise CollabError(
            f"{dataset.path} is not there on {platform.node()}; --runner ray needs a data folder "
            "on storage that all nodes of the cluster share."
        )


def show_progress(key: str, spec: RunSpec) -> Callable[[dict[str, Any]], None]:
    """A progress artifact; returns what moves it when told of a pass, but not all too often."""
    made = create_progress_artifact(0.0, key, f"{spec.run_id}: passes done, per cent")
    assert isinstance(made, UUID)
    due = time.monotonic() + PROGRESS_SECONDS

    def show(event: dict[str, Any]) -> None:
        nonlocal due
        done = event["number"] / event["passes"]
        if time.monotonic() >= due or done == 1:
            update_progress_artifact(made, 100 * done)
            due = time.monotonic() + PROGRESS_SECONDS

    return show


def train_all(
    wanted: list[Wanted], data: DataDir, *, seed: int, device: str, force: bool
) -> Trained:
    """Train every variant, as many at once as there are devices; one that fails is left out.

    Raises:
        CollabError: training was interrupted.
    """
    results = train_each(wanted, data, seed=seed, device=device, force=force)
    failed = [
        f"{recipe.name} on {rows_of(dataset)}: {first_line(result)}"
        for (recipe, dataset), result in zip(wanted, results, strict=True)
        if isinstance(result, BaseException)
    ]
    trained = [result for result in results if not isinstance(result, BaseException)]
    for reason in failed:
        log.error("Left out: %s", reason)
    return Trained(
        runs=[run for run, _ in trained],
        made=sum(now for _, now in trained),
        left_out=tuple(failed),
    )


def rows_of(dataset: Dataset) -> str:
    """A dataset's rows for people, such as `temporal, last 20%, as of 1998-01-31`."""
    day = f", as of {dataset.as_of[:10]}" if dataset.as_of else ""
    return dataset.protocol.label + day


def train_one(
    recipe: Recipe, dataset: Dataset, data: DataDir, *, seed: int, device: str, force: bool
) -> tuple[Run, bool]:
    """Train one variant; whatever stopped it is raised."""
    (result,) = train_each([(recipe, dataset)], data, seed=seed, device=device, force=force)
    if isinstance(result, BaseException):
        raise result
    return result


def train_each(
    wanted: list[Wanted], data: DataDir, *, seed: int, device: str, force: bool
) -> list[Result]:
    """For each recipe on its dataset the run and whether it was trained now, or what stopped it.

    A model of several chains is merged once these have been trained, as runs like any other.
    """

    def train(jobs: list[Job]) -> list[Result]:
        recipes = [recipe for recipe, _, _ in jobs]
        datasets = [dataset for _, dataset, _ in jobs]
        seeds = [number for _, _, number in jobs]
        with ended_with_us():
            futures = train_variant.map(recipes, datasets, unmapped(data), seeds, device, force)
            found: list[Result] = [future.result(raise_on_failure=False) for future in futures]
        STOP.refuse()
        refuse_changed_code()  # or what failed for it would be left out
        return found

    whole = [(recipe, dataset, seed) for recipe, dataset in wanted]
    parts = [
        [(chain, dataset, number) for chain, number in chains_of(recipe, seed)]
        for recipe, dataset in wanted
    ]
    first = [chains or [job] for job, chains in zip(whole, parts, strict=True)]
    results = iter(train([job for jobs in first for job in jobs]))
    of_each = [[next(results) for _ in jobs] for jobs in first]
    stopped = [next((r for r in found if isinstance(r, BaseException)), None) for found in of_each]
    ready = [bool(chains) and not error for chains, error in zip(parts, stopped, strict=True)]
    merged = iter(train([job for job, now in zip(whole, ready, strict=True) if now]))
    return [
        next(merged) if now else error or found[0]
        for now, error, found in zip(ready, stopped, of_each, strict=True)
    ]
