"""A Prefect server for the session, and training without the start of a process for each run."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from collab.runs.devices import Slot
from collab.runs.record import Run, load_run
from collab.runs.spec import RunSpec
from collab.runs.train import train_run
from flows import stages
from tasks import train


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """A temporary server on 127.0.0.1 with a database of its own."""
    with (
        prefect_test_harness(server_startup_timeout=180),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in this process: a child takes seconds to import what it needs.

    One epoch on a planted archive is no better than means, and is published all the same;
    `test_baseline.py` keeps that gate.
    """
    monkeypatch.setattr(train, "run_in_child", train_here)
    monkeypatch.setattr(stages, "baseline_of", lambda *given: None)


def train_here(
    spec: RunSpec,
    slots: list[Slot],
    *,
    force: bool = False,
    on_pass: Callable[[dict[str, Any]], None],
) -> tuple[Run, bool]:
    """What `run_in_child` does, without the child."""
    made = train_run(spec, force=force, on_pass=lambda progress: on_pass(asdict(progress)))
    return load_run(spec.folder), made
