"""Tasks: one training run each."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from prefect import task, unmapped
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.runtime import flow_run

from collab.base.journal import below, step
from collab.lake import Manifest
from collab.base.paths import DataDir
from collab.runs.devices import find_slots
from collab.runs.launch import run_in_child
from collab.estimators.sgd.recipe import Recipe
from collab.runs.run import Run, RunSpec
from tasks.policy import may_retry

PROGRESS_SECONDS = 5.0  # each step of the bar costs the server a few hundredths of a second


@task(task_run_name="train-{recipe.name}", retries=1, retry_condition_fn=may_retry)
def train_variant(
    recipe: Recipe, lake: Manifest, data: DataDir, seed: int, device: str, force: bool
) -> tuple[Run, bool]:
    """Train one variant in a child process on the first free device."""
    slots = find_slots(device)
    runs = data.runs
    spec = RunSpec(lake=lake.path, runs=runs, recipe=recipe, seed=seed, device=slots[0].kind)
    show = show_progress(f"train-{recipe.name}".replace("_", "-"), spec)
    known = {"variant": recipe.name, "flow_run": flow_run.get_id()}
    with step(data, "train", edition=lake.edition, **known) as entry:
        run, made = run_in_child(spec, slots, force=force, on_epoch=show)
        entry["rows"], entry["where"] = run.record["n_train"], below(data, run.folder)
        entry["outcome"] = "made" if made else "found"
        if made:  # the child's own: without the wait for a device
            entry["peak_memory_mib"] = run.record["peak_memory_mib"]
            entry["seconds"] = round(run.record["seconds"], 3)
    return run, made


def show_progress(key: str, spec: RunSpec) -> Callable[[dict[str, Any]], None]:
    """A progress artifact; returns what moves it when told of an epoch, but not all too often."""
    made = create_progress_artifact(0.0, key, f"{spec.run_id}: epochs done, per cent")
    assert isinstance(made, UUID)
    due = time.monotonic() + PROGRESS_SECONDS

    def show(event: dict[str, Any]) -> None:
        nonlocal due
        done = event["epoch"] / spec.recipe.epochs
        if time.monotonic() >= due or done == 1:
            update_progress_artifact(made, 100 * done)
            due = time.monotonic() + PROGRESS_SECONDS

    return show


def train_all(
    recipes: list[Recipe], lake: Manifest, data: DataDir, *, seed: int, device: str, force: bool
) -> tuple[list[Run], int]:
    """Train every variant, as many at once as there are devices.

    Returns:
        The runs, and how many were trained now.
    """
    training = train_variant.map(recipes, unmapped(lake), unmapped(data), seed, device, force)
    trained = training.result()
    return [run for run, _ in trained], sum(now for _, now in trained)
