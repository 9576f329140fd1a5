"""Tasks: one training run each."""

from prefect import task

from collab.lake import Manifest
from collab.paths import DataDir
from collab.training.devices import find_slots
from collab.training.launch import run_in_child
from collab.training.recipe import Recipe
from collab.training.run import Run, RunSpec
from tasks.policy import may_retry


@task(task_run_name="train-{recipe.name}", retries=1, retry_condition_fn=may_retry)
def train_variant(
    recipe: Recipe, lake: Manifest, data: DataDir, seed: int, device: str, force: bool
) -> tuple[Run, bool]:
    """Train one variant in a child process on the first free device."""
    slots = find_slots(device)
    runs = data.runs
    spec = RunSpec(lake=lake.path, runs=runs, recipe=recipe, seed=seed, device=slots[0].kind)
    return run_in_child(spec, slots, force=force)
