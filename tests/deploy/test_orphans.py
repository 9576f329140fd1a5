"""Processes of flow runs are known by the id that the worker gives them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import StateType, WorkerStatus

from deploy import orphans
from deploy.orphans import crash_orphans, flow_processes

API = "http://127.0.0.1:9/api"


@pytest.fixture
def run() -> Iterator[UUID]:
    """A flow run whose process lives."""
    run = uuid4()
    environment = {**os.environ, "PREFECT__FLOW_RUN_ID": str(run), "PREFECT_API_URL": API}
    code = "print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield run
        process.kill()


def test_a_process_is_found_by_its_run_and_its_server(run: UUID) -> None:
    assert run in dict(flow_processes())
    assert [found for found, _ in flow_processes(API)] == [run]
    assert [found for found, _ in flow_processes("http://127.0.0.1:8/api") if found == run] == []


class Client:
    """A server with a work pool and its runs."""

    def __init__(self, workers: dict[str, WorkerStatus], runs: dict[UUID, StateType]) -> None:
        self.workers = [SimpleNamespace(name=n, status=status) for n, status in workers.items()]
        self.runs = [SimpleNamespace(id=run, state=state) for run, state in runs.items()]
        self.crashed: list[UUID] = []

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def read_workers_for_work_pool(self, pool: str) -> list[Any]:
        return self.workers

    def read_flow_runs(self, work_pool_filter: Any, flow_run_filter: Any) -> list[Any]:
        assert work_pool_filter.name.any_ == ["pool"]
        return [run for run in self.runs if run.state in flow_run_filter.state.type.any_]

    def set_flow_run_state(self, run: UUID, state: Any) -> None:
        assert state.is_crashed()
        self.crashed.append(run)


@pytest.mark.parametrize(
    ("workers", "crashes"),
    [
        ({}, True),
        ({"ours": WorkerStatus.ONLINE, "other": WorkerStatus.OFFLINE}, True),
        ({"ours": WorkerStatus.ONLINE, "other": WorkerStatus.ONLINE}, False),
    ],
)
def test_only_a_run_without_a_process_is_crashed_and_none_of_another_worker(
    run: UUID, workers: dict[str, WorkerStatus], crashes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = {run: StateType.RUNNING}
    gone = {uuid4(): state for state in StateType}
    client = Client(workers, living | gone)
    monkeypatch.setattr(orphans, "get_client", lambda sync_client: client)
    assert [each.id for each in crash_orphans("pool", "ours")] == client.crashed
    held = {gone[each] for each in client.crashed}
    holding = {StateType.PENDING, StateType.RUNNING, StateType.CANCELLING}
    assert held == (holding if crashes else set())
