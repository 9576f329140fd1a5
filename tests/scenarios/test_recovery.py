"""What dies in the middle of a run: a training child, the flow, the worker, the server."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.states import Cancelling

from collab.base.files import is_whole
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from deploy.applying import apply
from deploy.automations import stuck
from deploy.orphans import flow_processes
from deploy.processes import descendants, end, lives, start
from tests.published import query
from tests.scenarios.stack import HEARTBEAT_WINDOW, Stack, kill, wait_for

pytestmark = pytest.mark.slow

ENDS = ("Completed", "Failed", "Crashed", "Cancelled")
CHILD = "collab.runs.child"
ENGINE = "prefect.engine"


def trained(data: DataDir) -> Counter[str]:
    """How often each run was trained to the end."""
    return Counter(
        entry["where"]
        for entry in read_journal(data)
        if entry["step"] == "train" and entry["outcome"] == "made"
    )


def committed(data: DataDir) -> list[Path]:
    """The run folders that stand whole."""
    return [file.parent for file in data.runs.glob("*/run.json") if is_whole(file.parent)]


def task_attempts(stack: Stack, run: UUID) -> list[int]:
    """How often each training task of a flow run was tried, in order of that."""
    with stack.client() as client:
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run])))
    return sorted(task.run_count for task in tasks if task.name.startswith("train-"))


def begin(stack: Stack, long: dict[str, Any]) -> UUID:
    """A pipeline whose children train."""
    run = stack.run("pipeline/pipeline", **long)
    wait_for(lambda: len(stack.processes(CHILD)) == 2, 180)
    return run


def test_a_killed_training_child_is_retried_alone(
    stack: Stack, long: dict[str, Any], data: DataDir
) -> None:
    run = begin(stack, long)
    kill(stack.processes(CHILD)[0])
    assert stack.wait(run, *ENDS) == "Completed"
    # two variants, the means they are measured against, and the champion's on all ratings
    assert task_attempts(stack, run) == [1, 1, 1, 2]
    assert set(trained(data).values()) == {1}


def test_a_cancelled_run_is_never_crashed(stack: Stack, long: dict[str, Any]) -> None:
    """Which would be told at night, though a person did it."""
    run = begin(stack, {**long, "epochs": 200})
    with stack.client() as client:
        client.set_flow_run_state(run, Cancelling())
        assert stack.wait(run, *ENDS) == "Cancelled"
        states = [state.name for state in client.read_flow_run_states(run)]
    assert states[-3:] == ["Running", "Cancelling", "Cancelled"]
    assert not stack.processes(CHILD)


def test_a_killed_flow_is_resumed_by_the_next_run(
    stack: Stack, long: dict[str, Any], data: DataDir
) -> None:
    run = begin(stack, long)
    wait_for(lambda: committed(data), 180)
    kill(*stack.processes(ENGINE))
    assert stack.wait(run, *ENDS, seconds=60) == "Crashed"  # its worker saw it end
    first = committed(data)
    assert len(first) == 1
    again = stack.run("pipeline/pipeline", **long)
    assert stack.wait(again, *ENDS) == "Completed"
    assert set(trained(data).values()) == {1}
    found = [e for e in read_journal(data) if (e["step"], e["outcome"]) == ("train", "found")]
    assert [entry["where"] for entry in found] == [f"runs/{first[0].name}"]


def test_a_lost_machine_is_marked_crashed_by_the_automation(
    stack: Stack, long: dict[str, Any], data: DataDir
) -> None:
    """Flow and worker are killed at once: nobody is left to tell, but the heartbeat is missed."""
    run = begin(stack, long)
    engines, children = stack.processes(ENGINE), stack.processes(CHILD)
    kill(stack.worker, *engines)
    wait_for(lambda: not any(lives(child) for child in children), 20)  # they end with their parent
    stack.worker.wait()
    stack.start_worker()
    assert stack.state(run) == "Running"
    assert stack.wait(run, *ENDS, seconds=2 * HEARTBEAT_WINDOW + 60) == "Crashed"
    again = stack.run("pipeline/pipeline", **long)
    assert stack.wait(again, *ENDS) == "Completed"
    assert set(trained(data).values()) == {1}


def test_a_killed_worker_leaves_its_run_to_end(
    stack: Stack, long: dict[str, Any], data: DataDir
) -> None:
    run = begin(stack, long)
    kill(stack.worker)
    stack.worker.wait()
    assert stack.wait(run, *ENDS) == "Completed"
    stack.start_worker()
    again = stack.run("pipeline/pipeline", **long)
    assert stack.wait(again, *ENDS) == "Completed"
    assert set(trained(data).values()) == {1}


def test_a_worker_that_is_asked_to_end_says_so_of_its_run(
    stack: Stack, long: dict[str, Any], data: DataDir
) -> None:
    """As in a container: Prefect's own would kill the run without a word."""
    end(stack.worker)
    command = ["deploy.worker", "--pool", "tests"]
    stack.worker = start(command, stack.place.home / "worker.log", stack.environment)
    run = begin(stack, long)
    stack.worker.terminate()
    assert stack.worker.wait(60) == 0
    assert stack.processes(CHILD) == []
    assert stack.state(run) == "Crashed"
    with stack.client() as client:
        state = client.read_flow_run(run).state
    assert state
    assert "termination signal" in str(state.message)


def test_a_hard_stop_before_a_run_began_frees_its_limit(stack: Stack, long: dict[str, Any]) -> None:
    """All killed, and started again by hand: no heartbeat was ever sent that could be missed."""
    assert apply(stuck(timedelta(seconds=45)))
    run = stack.run("pipeline/pipeline", **long)
    stack.wait(run, "Pending", "Submitting")
    flow = [process for _, process in flow_processes(f"{stack.place.ui}/api")]
    kill(stack.worker, *descendants(stack.worker.pid), *flow)
    kill(stack.server, *descendants(stack.server.pid))
    stack.start_server()
    stack.start_worker()
    assert stack.wait(run, *ENDS) == "Crashed"
    with stack.client() as client:
        limit = client.read_deployment_by_name("pipeline/pipeline").global_concurrency_limit
    assert limit
    assert limit.active_slots == 0
    assert apply(stuck())


def test_a_restarted_server_does_not_lose_the_run(
    stack: Stack, long: dict[str, Any], data: DataDir
) -> None:
    run = begin(stack, long)
    end(stack.server)
    stack.start_server()
    state = stack.wait(run, *ENDS)
    if state != "Completed":
        again = stack.run("pipeline/pipeline", **long)
        assert stack.wait(again, *ENDS) == "Completed"
    assert query(data, "SELECT count(*) FROM leaderboard") == [(2,)]
    assert set(trained(data).values()) == {1}
