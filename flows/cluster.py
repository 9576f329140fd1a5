"""Whether a Ray cluster can train: it answers, and its nodes share folder, code and server.

Looked at in a process of its own, which is ended after a time: Ray waits without end for a cluster
that does not answer.
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from collab.base.errors import CollabError
from collab.base.fingerprint import code_digest
from collab.base.journal import first_line
from collab.base.paths import DataDir

SECONDS = 40.0  # with the start of Python and Prefect less than a minute
AUTO = "auto"  # what RAY_ADDRESS names, else the cluster that runs on this machine
NO_CLUSTER = (
    "No Ray cluster runs on this machine and RAY_ADDRESS names none. Set it, start one with "
    "`ray start --head`, or leave out --runner ray; a cluster is never started on its own."
)


def require_cluster(data: DataDir) -> None:
    """Refuse a cluster on which training cannot end well, within a minute.

    Raises:
        CollabError: none answers, or one of its nodes has another data folder or other code, or
            cannot reach Prefect's server.
    """
    address = os.environ.get("RAY_ADDRESS")
    which = f"at {address}" if address else "that ran last on this machine"
    with NamedTemporaryFile(dir=data.root, prefix=".shared-") as marker:
        try:
            looked = subprocess.run(
                [sys.executable, "-m", "flows.cluster", marker.name],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # where Ray repeats itself
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CollabError(
                f"The Ray cluster {which} did not answer within {SECONDS:g} s. Is it running "
                "(`ray status`), and is RAY_ADDRESS its host:port?"
            ) from error
    if looked.returncode:
        reason = looked.stdout.strip() or f"Ray ended with exit code {looked.returncode}"
        raise CollabError(f"--runner ray: {reason}")


def main(marker: str) -> int:
    """Look at the cluster, and print what is wrong; returns the exit code."""
    import ray

    try:
        ray.init(address=AUTO, namespace="prefect", log_to_driver=False)
        reasons = [told for told in ray.get(looks(ray, marker)) if told]
    except ConnectionError as error:
        named = os.environ.get("RAY_ADDRESS")
        reasons = [f"{first_line(error)} (RAY_ADDRESS={named})" if named else NO_CLUSTER]
    except Exception as error:
        reasons = [first_line(error)]
    print("; ".join(reasons))  # noqa: T201
    return bool(reasons)


def looks(ray: Any, marker: str) -> list[Any]:
    """A look from each node that tasks are given to."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return [
        ray.remote(look)
        .options(
            num_cpus=0,  # so that a busy node answers too
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        )
        .remote(node["NodeManagerHostname"], marker, code(), os.environ["PREFECT_API_URL"])
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU")
    ]


def code() -> str:
    """Stands for what the keys of runs depend on, whatever their estimator."""
    return f"{code_digest('estimators', 'runs')} {version('torch')}"


def look(host: str, marker: str, expected: str, api: str) -> str | None:
    """What is wrong on the node that this runs on; None: nothing.

    Args:
        host: the node's name.
        marker: a new file in the data folder.
        expected: the code and the torch there must be.
        api: the address of Prefect's server.
    """
    folder = Path(marker).parent
    if not Path(marker).is_file():
        return f"{host} does not see the data folder {folder}; put it on storage that all share"
    if not os.access(folder, os.W_OK):
        return f"{host} cannot write to the data folder {folder}"
    if code() != expected:
        return f"{host} has other code of collab, or another torch, than this machine"
    try:
        urlopen(f"{api}/health", timeout=10).close()  # noqa: S310
    except HTTPError:
        return None  # it answers
    except OSError as error:
        return f"{host} does not reach PREFECT_API_URL={api} ({error})"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
