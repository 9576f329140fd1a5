"""`python -m deploy.serve` of a checkout, which may be killed, ended and started again."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import psutil
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.settings import PREFECT_API_URL, temporary_settings

from collab.base.paths import DataDir
from deploy.orphans import flow_processes
from deploy.place import ROOT, Place
from deploy.processes import descendants, end, end_all
from tests.scenarios.stack import free_port, wait_for

POOL = "served"
ENDS = ("Completed", "Failed", "Crashed", "Cancelled")
SECONDS = 600.0  # what is waited for takes seconds, on a busy machine minutes


class Served:
    """Server, worker, deployments and automations on a data folder of their own."""

    def __init__(self, folder: Path, checkout: Path = ROOT, **variables: str) -> None:
        """Start nothing yet; the variables are added to the environment of all parts."""
        self.data = DataDir(folder / "data")
        self.checkout = checkout
        home = self.data.root / "prefect"
        self.place = Place(data=self.data, home=home, port=free_port(), pool=POOL)
        self.api = f"{self.place.ui}/api"
        own = folder / "tmp"  # devices are leased by folder of temporary files
        own.mkdir(exist_ok=True)
        self.environment = {
            **self.place.environment(),
            "TMPDIR": str(own),
            "COLLAB_HOME": str(checkout),
            "PYTHONPATH": str(checkout),
            **variables,
        }
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[str] | None = None

    @contextmanager
    def running(self) -> Iterator["Served"]:
        """Start it, and have this process talk to its server; nothing of it is left at the end."""
        try:
            self.start()
            with temporary_settings({PREFECT_API_URL: self.api}):
                yield self
        finally:
            end_all(self.all())
            end_all(self.left())

    def start(self) -> None:
        """Start it, and wait until it says that Ctrl-C ends it."""
        options = ["--data-dir", str(self.data.root), "--port", str(self.place.port)]
        with self.log.open("w") as log:
            process = self.begin("deploy.serve", *options, "--pool", POOL, stdout=log)
        self.process = process

        def ready() -> bool:
            return "Ctrl-C ends" in self.printed or process.poll() is not None

        wait_for(ready, SECONDS, "`deploy.serve` to be ready")
        assert process.poll() is None, self.printed

    @property
    def printed(self) -> str:
        """What it printed since it was started last."""
        return self.log.read_text()

    def stop(self) -> None:
        """End it as systemd does."""
        assert self.process
        self.process.terminate()
        self.process.wait(SECONDS)
        assert self.left() == []

    def kill(self) -> None:
        """SIGKILL for all of it at once, as when the machine loses its power."""
        assert self.process
        for process in [*self.all(), *self.left()]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(SECONDS)
        wait_for(lambda: not self.left(), 60, "the end of what the flow runs had started")

    def begin(
        self, *module: str, stdout: IO[str] | int = subprocess.PIPE
    ) -> "subprocess.Popen[str]":
        """`python -m …` in the checkout, in the environment of all parts."""
        return subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=self.checkout,
            env=self.environment,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def call(self, *module: str) -> str:
        """The same, to a good end; returns what was printed."""
        process = self.begin(*module)
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        finally:
            end(process)
        assert process.returncode == 0, printed
        return printed

    def all(self) -> list[psutil.Process]:
        """It, and all that it started."""
        if self.process is None or self.process.poll() is not None:
            return []
        return [psutil.Process(self.process.pid), *descendants(self.process.pid)]

    def left(self) -> list[psutil.Process]:
        """What lives of the flow runs of its server."""
        return [process for _, process in flow_processes(self.api)]

    def run(self, deployment: str, /, **given: Any) -> UUID:
        """Ask for a run of `flow/deployment`; returns its id at once."""
        run = run_deployment(deployment, parameters=given, timeout=0)
        assert isinstance(run, FlowRun)
        return run.id

    def runs(self, deployment: str) -> list[FlowRun]:
        """The runs of a deployment, those that its schedule made for later not among them."""
        with get_client(sync_client=True) as client:
            found = client.read_flow_runs(
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment]))
            )
        return [run for run in found if not run.auto_scheduled]

    def state(self, run: UUID) -> tuple[str, str]:
        """The name and the message of a run's state."""
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run).state
        assert state
        return state.name or "", state.message or ""

    def ended(self, run: UUID) -> tuple[str, str]:
        """The state a run ends in."""

        def look() -> tuple[str, str] | None:
            return found if (found := self.state(run))[0] in ENDS else None

        found = wait_for(look, SECONDS, f"the end of run {run}")
        assert found
        return found
