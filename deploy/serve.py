"""A persistent server, a work pool, the deployments and a worker: `python -m deploy.serve`."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import httpx
from cyclopts import Parameter
from cyclopts.validators import Number
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings

from collab.base.errors import CollabError
from collab.base.paths import given_path, writable_data_dir
from collab.cli.app import make_app, run
from deploy.orphans import crash_orphans, flow_processes
from deploy.part import only_lines
from deploy.place import HOST, ROOT, Place
from deploy.processes import end, end_all, heed_no_more, heed_signals, rotate, start
from flows.server import require_home

START_SECONDS = 300.0
Port = Annotated[int, Parameter(validator=Number(gte=1, lte=65534))]  # the next one is used too

app = make_app(
    "python -m deploy.serve",
    "A persistent server, a work pool, the deployments and a worker, all on 127.0.0.1. Ctrl-C ends "
    "all of it, flow runs included; what they had committed stays, and the next run goes on.",
    "python -m deploy.serve --port 4300 --data-dir /srv/movielens",
)


def serve(place: Place) -> None:
    """Start everything, say where it is, and wait until it is ended.

    Raises:
        CollabError: a port is taken, Prefect's folder cannot be written, a part does not start, or
            one ends by itself.
    """
    for port in (place.port, place.port + 1):
        refuse_taken(port)
    require_home(place.home)
    place.data.serve.mkdir(parents=True, exist_ok=True)
    told = place.environment()
    with ExitStack() as stack:
        parts: dict[str, subprocess.Popen[str]] = {}

        def begin(name: str, *arguments: str) -> None:
            parts[name] = start(list(arguments), place.log(name), told)
            stack.callback(end, parts[name])  # the last one started is ended first
            stack.callback(heed_no_more)

        at = ("--host", HOST, "--port", str(place.port))
        begin("server", "prefect", "server", "start", *at)
        wait_until_healthy(place, parts["server"])
        if has_pool(place):
            with temporary_settings({PREFECT_API_URL: f"{place.ui}/api"}):
                report(crash_orphans(place.pool, worker=place.pool))
        set_up(place, told)
        at = ("--bind", HOST, "--directory", str(place.data.serve))
        begin("tables", "http.server", *at, str(place.port + 1))
        of = ("--pool", place.pool, "--type", "process", "--name", place.pool)
        stack.callback(end_left, place)  # after the worker, which may have died before its runs
        begin("worker", "prefect", "worker", "start", *of)
        say(place)
        while all(part.poll() is None for part in parts.values()):
            for name in parts:
                rotate(place.log(name))
            time.sleep(0.5)
        ended = next(name for name, part in parts.items() if part.poll() is not None)
        raise CollabError(f"The {ended} ended; its log: {place.log(ended) or 'above'}.")


def report(crashed: Sequence[FlowRun]) -> None:
    """Say of which runs a hard stop left nothing but their state."""
    for each in crashed:
        sys.stdout.write(f"Crashed: {each.name} ({each.id}), its process is gone; run it again.\n")


def end_left(place: Place) -> None:
    """End the flow runs of this server that still live, and what they started."""
    end_all(process for _, process in flow_processes(f"{place.ui}/api"))


def refuse_taken(port: int) -> None:
    """Stop where a port is another's already.

    Raises:
        CollabError: names the port.
    """
    if not is_free(port):
        raise CollabError(f"Port {port} is taken. Name another with --port.")


def is_free(port: int) -> bool:
    """Whether nothing listens on a port, and no connection goes out from it either."""
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            return False
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        probe.bind((HOST, port))
        return True
    return False


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
    raise CollabError(f"The server did not start; its log: {place.log('server') or 'above'}.")


def set_up(place: Place, told: dict[str, str]) -> None:
    """The work pool, the deployments and the automations; each is created or updated.

    A pool that is there stays as it is, paused or with a limit of its own.
    """
    prefect = ("prefect", "--no-prompt")
    pool = ("work-pool", "create", place.pool, "--type", "process")
    make_pool = [] if has_pool(place) else [(*prefect, *pool)]
    for step in (*make_pool, ("deploy.deployments",), ("deploy.automations",)):
        done = subprocess.run(
            [sys.executable, "-m", *step], cwd=ROOT, env=told, capture_output=True, text=True
        )
        if done.returncode:
            raise CollabError(f"`{' '.join(step)}` failed:\n{done.stdout}{done.stderr}")
        if step[0] != prefect[0]:
            sys.stdout.write(done.stdout)  # what an operator set stays; whether anybody is told


def has_pool(place: Place) -> bool:
    """Whether the server knows the work pool."""
    return httpx.get(f"{place.ui}/api/work_pools/{place.pool}", timeout=30).is_success


def say(place: Place) -> None:
    """Where the UI is and how to start a run."""
    sys.stdout.write(
        f"\nUI:      {place.ui}\n"
        f"Tables:  {place.served}  (the report: {place.served}/report.html)\n"
        f"Data:    {place.data.root}\n"
        f"Logs:    {place.logs}\n\n"
        "Start a run in the UI (Deployments, pipeline, Run), or in another terminal:\n"
        f"  export PREFECT_API_URL={place.ui}/api\n"
        f"  {Path(sys.executable).parent}/prefect deployment run pipeline/pipeline --watch\n\n"
        "Ctrl-C ends all of it.\n"
    )
    sys.stdout.flush()


@app.default
def command(
    *,
    data_dir: Path | None = None,
    port: Port = 4200,
    pool: str = "collab",
    stdout: bool = False,
) -> None:
    """Serve until Ctrl-C, SIGTERM or the end of the terminal.

    Args:
        data_dir: Where all is kept; by default COLLAB_DATA_DIR, else data.
        port: Of the UI; the tables and the report are on the next one.
        pool: The work pool's name.
        stdout: Log of server and worker to standard output, for journald or a container; by
            default to files in PREFECT_HOME.
    """
    only_lines("deploy.serve")
    heed_signals()
    try:
        data = writable_data_dir(data_dir)
        home = given_path(os.environ.get("PREFECT_HOME") or data.root / "prefect").absolute()
        serve(Place(data=data, home=home, port=port, pool=pool, stdout=stdout))
    except KeyboardInterrupt:  # the way it is meant to end
        sys.stdout.write("\nEnded.\n")


def main(tokens: Sequence[str] | None = None) -> int:
    """Serve until ended; returns the exit code."""
    return run(app, tokens)


if __name__ == "__main__":
    sys.exit(main())
