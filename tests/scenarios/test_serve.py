"""`make serve`: a hard stop of all of it, and the death of its worker alone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.settings import PREFECT_API_URL, temporary_settings

from collab.base.paths import DataDir
from deploy import automations
from deploy.orphans import GONE, flow_processes
from deploy.place import Place
from deploy.processes import descendants, end_all
from tests.scenarios.conftest import parameters
from tests.scenarios.stack import free_port, having, kill, wait_for

pytestmark = pytest.mark.slow

CHILD = "collab.runs.child"
WORKER = "worker start"


class Served:
    """`python -m deploy.serve` on a data folder, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.data = DataDir(folder / "data")
        self.home = folder / "home"
        self.place = Place(data=self.data, home=self.home, port=free_port(), pool="served")
        self.api = f"{self.place.ui}/api"
        self.printed = ""

    def start(self) -> None:
        """Start it, and wait until it says that Ctrl-C ends it."""
        options = ["--data-dir", str(self.data.root), "--port", str(self.place.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.serve", *options, "--pool", "served"],
            env={**self.place.environment(), "PREFECT_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.printed = ""
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl-C ends" in line:
                return
        raise AssertionError(self.printed)

    def all(self) -> list[psutil.Process]:
        """It, and all that it started."""
        return [psutil.Process(self.process.pid), *descendants(self.process.pid)]

    def left(self) -> list[psutil.Process]:
        """What lives of the flow runs of its server."""
        return [process for _, process in flow_processes(self.api)]

    def run(self, **given: Any) -> UUID:
        """Ask for a pipeline."""
        return run_deployment("pipeline/pipeline", parameters=given, timeout=0).id  # type: ignore[union-attr]

    def state(self, run: UUID) -> tuple[str, str]:
        """The name and the message of a run's state."""
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run).state
        assert state
        return state.name or "", state.message or ""

    def ended(self, run: UUID) -> tuple[str, str]:
        """The state a run ends in."""
        ends = ("Completed", "Failed", "Crashed", "Cancelled")
        return wait_for(lambda: s if (s := self.state(run))[0] in ends else None, 300)  # type: ignore[return-value]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Nothing of it is left at the end."""
    served = Served(tmp_path)
    served.start()
    with temporary_settings({PREFECT_API_URL: served.api}):
        yield served
    if served.process.poll() is None:
        end_all(served.all())
    end_all(served.left())
    served.process.communicate()


def test_after_a_hard_stop_the_next_run_is_not_blocked(served: Served, large_zip: Path) -> None:
    """Server, worker, flow and children killed together: the limit is free at the next start."""
    assert automations.main(["--heartbeat", "3600"]) == 0  # which would find it out too
    long = parameters(large_zip, served.data, epochs=12)
    run = served.run(**long)
    wait_for(lambda: having(CHILD, served.left()), 240)
    kill(*served.all())
    served.process.communicate()
    wait_for(lambda: not served.left(), 30)
    served.start()
    assert f"Crashed: ml-100k, dot_product_bias_wd embedding_nn, seed 42 ({run})" in served.printed
    assert served.state(run) == ("Crashed", GONE)
    again = served.run(**{**long, "epochs": 1})
    assert served.ended(again)[0] == "Completed"


def test_a_flow_that_is_asked_to_end_does_so_at_once_and_says_why(
    served: Served, large_zip: Path
) -> None:
    """SIGTERM: not killed six seconds later, which reads as a lack of memory."""
    run = served.run(**parameters(large_zip, served.data, epochs=200))
    wait_for(lambda: having(CHILD, served.left()), 240)
    for engine in having("prefect.engine", served.left()):
        engine.terminate()
    name, message = served.ended(run)
    assert name == "Crashed"
    assert "termination signal" in message
    wait_for(lambda: not served.left(), 30)


def test_where_the_worker_died_serve_leaves_nothing_behind(served: Served, large_zip: Path) -> None:
    served.run(**parameters(large_zip, served.data, epochs=200))
    wait_for(lambda: having(CHILD, served.left()), 240)
    everything = served.all()
    kill(*having(WORKER, everything))
    assert served.process.wait(60) == 1
    assert served.left() == []
    assert not [process for process in everything if process.is_running()]
