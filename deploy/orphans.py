"""Flow runs whose process is gone, as after a hard stop: they are crashed, which frees their slots.

Without that they stay Running and hold the limit of their deployment, so that nothing more of it is
started. A run's process is known by the id that the worker gives it in its environment.
"""

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import psutil
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType, WorkerStatus
from prefect.states import Crashed

ENV_RUN = "PREFECT__FLOW_RUN_ID"
HOLDING = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
GONE = "Its process was gone when the server was started again: killed, or its machine stopped."


def flow_processes(server: str | None = None) -> Iterator[tuple[UUID, psutil.Process]]:
    """The processes of flow runs on this machine, and what they started, with the run's id.

    Args:
        server: only those that talk to this address of a server's API.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error, ValueError):
            told = process.environ()
            if ENV_RUN in told and server in {None, told.get("PREFECT_API_URL")}:
                yield UUID(told[ENV_RUN]), process


def crash_orphans(pool: str, worker: str) -> list[FlowRun]:
    """Crash the runs of a work pool that hold a slot and have no process; returns them.

    It is asked where no worker of this machine runs yet. Where another worker serves the pool the
    processes may be elsewhere: then nothing is done, and a lost heartbeat tells.

    Args:
        pool: the work pool's name.
        worker: the name of this machine's worker.
    """
    with get_client(sync_client=True) as client:
        workers = client.read_workers_for_work_pool(pool)
        if any(w.status == WorkerStatus.ONLINE and w.name != worker for w in workers):
            return []
        living = {run for run, _ in flow_processes()}
        gone = [run for run in holding(client, pool) if run.id not in living]
        for run in gone:
            client.set_flow_run_state(run.id, Crashed(message=GONE))
    return gone


def holding(client: SyncPrefectClient, pool: str) -> list[FlowRun]:
    """The runs of a work pool that hold a slot."""
    return client.read_flow_runs(
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=HOLDING))
        ),
    )
