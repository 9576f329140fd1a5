"""A server, a work pool, the deployments and a worker on 127.0.0.1, to be ended at will."""

import secrets
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psutil
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.settings import PREFECT_API_URL, temporary_settings

from collab.base.paths import DataDir
from deploy.place import HOST, Place
from deploy.processes import descendants, end, start
from deploy.serve import is_free, set_up, wait_until_healthy

T = TypeVar("T")

HEARTBEAT_WINDOW = 75  # seconds; heartbeats come every 30, the least that Prefect allows
QUICK_EVENTS = {
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
    "PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER": "PT2S",
}


class Stack:
    """The parts as processes; each may be killed and started again by a test."""

    def __init__(self, folder: Path) -> None:
        """Start all parts below a folder."""
        self.place = Place(data=DataDir(folder), home=folder, port=free_port(), pool="tests")
        # devices are leased by folder of temporary files: what runs beside takes none of ours
        own = folder / "tmp"
        own.mkdir()
        self.environment = {**self.place.environment(), **QUICK_EVENTS, "TMPDIR": str(own)}
        self.server = self.start_server()
        set_up(self.place, self.environment)
        self._call("deploy.automations", "--heartbeat", str(HEARTBEAT_WINDOW))
        self.worker = self.start_worker()

    def start_server(self) -> "subprocess.Popen[str]":
        port = str(self.place.port)
        command = ["prefect", "server", "start", "--host", HOST, "--port", port]
        self.server = start(command, self.place.home / "server.log", self.environment)
        wait_until_healthy(self.place, self.server)
        return self.server

    def start_worker(self) -> "subprocess.Popen[str]":
        command = ["prefect", "worker", "start", "--pool", "tests", "--type", "process"]
        self.worker = start(command, self.place.home / "worker.log", self.environment)
        return self.worker

    def end(self) -> None:
        end(self.worker)
        end(self.server)

    def _call(self, *module: str) -> None:
        done = start(list(module), self.place.home / "calls.log", self.environment)
        assert done.wait(120) == 0

    def client(self) -> SyncPrefectClient:
        return get_client(sync_client=True)

    def settings(self) -> Any:
        """The context in which this process talks to the stack's server."""
        return temporary_settings({PREFECT_API_URL: f"{self.place.ui}/api"})

    def run(
        self, deployment: str, variables: dict[str, Any] | None = None, /, **parameters: Any
    ) -> UUID:
        """Ask for a run of `flow/deployment`; returns its id at once."""
        run = run_deployment(deployment, parameters=parameters, job_variables=variables, timeout=0)
        assert isinstance(run, FlowRun)
        return run.id

    def states(self, deployment: str, data: DataDir) -> list[str]:
        """The states of a deployment's runs on a data folder, those queued included."""
        with self.client() as client:
            found = client.read_flow_runs(
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment]))
            )
        own = [run for run in found if run.parameters.get("data_dir") == str(data.root)]
        return [run.state_name or "" for run in own]

    def scheduled(self, deployment: str) -> int:
        """How many runs of a deployment its schedule has made for later."""
        with self.client() as client:
            found = client.read_flow_runs(
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment]))
            )
        return sum(run.auto_scheduled for run in found)

    def state(self, run: UUID) -> str:
        """A run's state by name."""
        with self.client() as client:
            found = client.read_flow_run(run).state
        return (found.name if found else None) or ""

    def wait(self, run: UUID, *states: str, seconds: float = 300) -> str:
        """Wait until a run is in one of the states."""
        return wait_for(lambda: s if (s := self.state(run)) in states else "", seconds)

    def processes(self, part: str) -> list[psutil.Process]:
        """What the worker started, directly or not, whose command line has this part."""
        return having(part, descendants(self.worker.pid))


def having(part: str, processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those of the processes that still live and whose command line has this part."""

    def command_line(process: psutil.Process) -> str:
        with suppress(psutil.NoSuchProcess):
            return " ".join(process.cmdline())
        return ""

    return [process for process in processes if part in command_line(process)]


def free_port() -> int:
    """A port that is free, and the next one too, below those that connections go out from."""
    while True:
        port = 20_000 + 2 * secrets.randbelow(6_000)
        if is_free(port) and is_free(port + 1):
            return port


def wait_for(look: Callable[[], T], seconds: float, what: str = "it") -> T:
    """Look until there is something.

    Raises:
        TimeoutError: there never was; says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise TimeoutError(f"waited {seconds:g} s for {what}")


def kill(*processes: "psutil.Process | subprocess.Popen[str]") -> None:
    """SIGKILL, for those that are still there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
