"""A persistent server, a work pool, the deployments and a worker: `python -m deploy.serve`."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import httpx
from cyclopts import Parameter
from cyclopts.validators import Number

from collab.base.errors import CollabError
from collab.base.paths import ENV_DATA_DIR, DataDir, given_path, writable_data_dir
from collab.cli.app import make_app, run
from deploy.processes import end, start

HOST = "127.0.0.1"
START_SECONDS = 300.0
ROOT = Path(__file__).parent.parent
Port = Annotated[int, Parameter(validator=Number(gte=1, lte=65534))]  # the next one is used too

app = make_app(
    "python -m deploy.serve",
    "A persistent server, a work pool, the deployments and a worker, all on 127.0.0.1. Ctrl-C ends "
    "all of it, flow runs included; what they had committed stays, and the next run goes on.",
    "python -m deploy.serve --port 4300 --data-dir /srv/movielens",
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where all of it stands.

    home: Prefect's own files, such as its SQLite database, and the logs of server and worker.
    port: of server and UI; the tables and the report are on the next one.
    pool: the work pool's name.
    """

    data: DataDir
    home: Path
    port: int
    pool: str

    @property
    def ui(self) -> str:
        """The UI's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def served(self) -> str:
        """The address of what is published."""
        return f"http://{HOST}:{self.port + 1}"

    def environment(self) -> dict[str, str]:
        """What server, worker and flow runs need to be told."""
        return {
            **os.environ,
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": f"{self.ui}/api",
            "PREFECT_UI_URL": self.ui,
            "COLLAB_HOME": str(ROOT),
            "COLLAB_POOL": self.pool,
            "COLLAB_SERVE_URL": self.served,
            ENV_DATA_DIR: str(self.data.root),
        }


def serve(place: Place) -> None:
    """Start everything, say where it is, and wait until it is ended.

    Raises:
        CollabError: a port is taken, a part does not start, or one ends by itself.
    """
    for port in (place.port, place.port + 1):
        refuse_taken(port)
    place.home.mkdir(parents=True, exist_ok=True)
    place.data.serve.mkdir(parents=True, exist_ok=True)
    told = place.environment()
    with ExitStack() as stack:
        parts: dict[str, subprocess.Popen[str]] = {}

        def begin(name: str, *arguments: str) -> None:
            parts[name] = start(list(arguments), place.home / f"{name}.log", told)
            stack.callback(end, parts[name])  # the last one started is ended first
            stack.callback(heed_no_more)

        at = ("--host", HOST, "--port", str(place.port))
        begin("server", "prefect", "server", "start", *at)
        wait_until_healthy(place, parts["server"])
        set_up(place, told)
        at = ("--bind", HOST, "--directory", str(place.data.serve))
        begin("tables", "http.server", *at, str(place.port + 1))
        of = ("--pool", place.pool, "--type", "process", "--name", place.pool)
        begin("worker", "prefect", "worker", "start", *of)
        say(place)
        while all(part.poll() is None for part in parts.values()):
            time.sleep(0.5)
        ended = next(name for name, part in parts.items() if part.poll() is not None)
        raise CollabError(f"The {ended} ended; see {place.home / ended}.log.")


def refuse_taken(port: int) -> None:
    """Stop where something listens on a port already.

    Raises:
        CollabError: names the port.
    """
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            raise CollabError(f"Port {port} is taken. Name another with --port.")


def wait_until_healthy(place: Place, server: subprocess.Popen[str]) -> None:
    """Wait for the server to answer.

    Raises:
        CollabError: it ended, or does not answer in five minutes.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{place.ui}/api/health", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise CollabError(f"The server did not start; see {place.home}/server.log.")


def set_up(place: Place, told: dict[str, str]) -> None:
    """The work pool, the deployments and the automations; each is created or updated."""
    prefect = ("prefect", "--no-prompt")
    pool = ("work-pool", "create", place.pool, "--type", "process", "--overwrite")
    for step in ((*prefect, *pool), (*prefect, "deploy", "--all"), ("deploy.automations",)):
        done = subprocess.run(
            [sys.executable, "-m", *step], cwd=ROOT, env=told, capture_output=True, text=True
        )
        if done.returncode:
            raise CollabError(f"`{' '.join(step)}` failed:\n{done.stdout}{done.stderr}")


def say(place: Place) -> None:
    """Where the UI is and how to start a run."""
    sys.stdout.write(
        f"\nUI:      {place.ui}\n"
        f"Tables:  {place.served}  (the report: {place.served}/report.html)\n"
        f"Data:    {place.data.root}\n"
        f"Logs:    {place.home}/{{server,worker}}.log\n\n"
        "Start a run in the UI (Deployments, pipeline, Run), or in another terminal:\n"
        f"  export PREFECT_API_URL={place.ui}/api\n"
        f"  {Path(sys.executable).parent}/prefect deployment run pipeline/pipeline --watch\n\n"
        "Ctrl-C ends all of it.\n"
    )
    sys.stdout.flush()


def interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM is Ctrl-C."""
    raise KeyboardInterrupt


def heed_no_more() -> None:
    """While all is being ended, a second Ctrl-C would leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@app.default
def command(*, data_dir: Path | None = None, port: Port = 4200, pool: str = "collab") -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        data_dir: Where all is kept; by default COLLAB_DATA_DIR, else data.
        port: Of the UI; the tables and the report are on the next one.
        pool: The work pool's name.
    """
    signal.signal(signal.SIGTERM, interrupt)
    try:
        data = writable_data_dir(data_dir)
        home = given_path(os.environ.get("PREFECT_HOME") or data.root / "prefect").absolute()
        serve(Place(data=data, home=home, port=port, pool=pool))
    except KeyboardInterrupt:  # the way it is meant to end
        sys.stdout.write("\nEnded.\n")


def main(tokens: Sequence[str] | None = None) -> int:
    """Serve until ended; returns the exit code."""
    return run(app, tokens)


if __name__ == "__main__":
    sys.exit(main())
