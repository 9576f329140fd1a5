"""Where the variants are trained: on this machine, or spread over a Ray cluster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from flows.cluster import AUTO, require_cluster
from flows.server import reported, require_answer

RUNNERS = ("local", "ray")


@contextmanager
def runner_options(runner: str, data: DataDir) -> Iterator[dict[str, Any]]:
    """What a flow's `with_options` takes to train with a runner; nothing for `local`.

    Before, the server that the flow reports to is looked at.

    Raises:
        CollabError: no server answers, or none of its own can start; Ray is not installed, there is
            no cluster, or its nodes do not share the data folder.
    """
    if runner == "local":
        with reported(data):
            yield {}
        return
    if not os.environ.get("PREFECT_API_URL"):
        raise CollabError(
            "--runner ray needs a Prefect server that the cluster reaches; set PREFECT_API_URL."
        )
    try:
        import ray
        from prefect_ray import RayTaskRunner
        from prefect_ray.context import remote_options
    except ImportError as error:
        raise CollabError(
            f"--runner ray needs prefect-ray ({error}); install the extra: pip install -e '.[ray]'"
        ) from error
    require_answer(os.environ["PREFECT_API_URL"])
    require_cluster(data)
    ray.init(address=AUTO, namespace="prefect", log_to_driver=False)
    try:
        gpus = 1 if ray.cluster_resources().get("GPU") else 0
        with remote_options(num_cpus=1, num_gpus=gpus):
            yield {"task_runner": RayTaskRunner()}
    finally:
        ray.shutdown()
