"""`make serve` with Postgres in place of SQLite: deployments, a run, a hard stop."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.orphans import GONE
from deploy.processes import end
from tests.scenarios.conftest import parameters
from tests.scenarios.served import Served
from tests.scenarios.stack import free_port, having, wait_for

pytestmark = pytest.mark.slow

NOBODY_ELSE = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a database of its own; root has the user `postgres` run it."""
    found = shutil.which("initdb") or next(
        map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None
    )
    if found is None:
        pytest.skip("Postgres is not installed")
    binaries, port = str(Path(found).resolve().parent), free_port()
    user = NOBODY_ELSE if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        if user:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        make = [f"{binaries}/initdb", "--pgdata", data, "--auth", "trust", "--username", "prefect"]
        subprocess.run([*user, *make], check=True, capture_output=True, cwd="/")
        options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        command = [*user, f"{binaries}/postgres", "-D", data, *options]
        command += ["-c", "unix_socket_directories="]
        with subprocess.Popen(command, cwd="/", text=True) as server:
            try:
                ask = [f"{binaries}/pg_isready", "-h", "127.0.0.1", "-p", str(port)]
                wait_for(lambda: subprocess.run(ask, capture_output=True).returncode == 0, 60)
                yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
            finally:
                end(server)


def test_a_run_and_a_hard_stop(
    url: str, tmp_path: Path, planted_zip: Path, large_zip: Path
) -> None:
    with Served(tmp_path, PREFECT_SERVER_DATABASE_CONNECTION_URL=url).running() as served:
        quick = parameters(planted_zip, served.data, epochs=1)
        assert served.ended(served.run("pipeline/pipeline", **quick))[0] == "Completed"
        run = served.run("pipeline/pipeline", **parameters(large_zip, served.data, epochs=12))
        wait_for(lambda: having("collab.runs.child", served.left()), 240)
        served.kill()
        served.start()
        assert served.state(run) == ("Crashed", GONE)
        assert served.ended(served.run("pipeline/pipeline", **quick))[0] == "Completed"
        assert not (served.place.home / "prefect.db").exists()
        served.stop()
