"""Tasks: the trials of a search, each an ordinary run in a child."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from collab.base.fingerprint import refuse_changed_code
from collab.base.journal import first_line
from collab.runs.devices import find_slots
from collab.runs.launch import run_in_child
from collab.runs.record import Run
from collab.runs.spec import RunSpec
from collab.runs.stop import STOP, ended_with_us
from collab.search.trial import run_or_reason
from tasks.policy import may_retry


@task(task_run_name="trial-{spec.run_id}", retries=1, retry_condition_fn=may_retry)
def train_trial(spec: RunSpec, device: str) -> Run | str:
    """Train a trial in a child process on the first free device, or say why it cannot be."""
    slots = find_slots(device)
    return run_or_reason(spec, lambda wanted: run_in_child(wanted, slots)[0])


def show_spent(variant: str) -> Callable[[float], None]:
    """A progress artifact; returns what moves it, given the part of the budget that is spent."""
    key = f"search-{variant}".replace("_", "-")
    made = create_progress_artifact(0.0, key, f"{variant}: budget spent, per cent")
    assert isinstance(made, UUID)

    def show(part: float) -> None:
        update_progress_artifact(made, 100 * part)

    return show


def train_trials(specs: list[RunSpec], device: str) -> list[Run | str]:
    """Train runs, as many at once as there are devices; in order, with why one could not be.

    Raises:
        CollabError: training was interrupted.
    """
    with ended_with_us():
        futures = train_trial.map(specs, device)
        results: list[Any] = [future.result(raise_on_failure=False) for future in futures]
    STOP.refuse()
    refuse_changed_code()
    return [first_line(each) if isinstance(each, BaseException) else each for each in results]
