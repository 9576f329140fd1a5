"""Where a flow trains: on this machine, or spread over a Ray cluster."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Literal, ParamSpec, TypeVar

from prefect.context import FlowRunContext

from collab.base.errors import CollabError
from collab.base.paths import DataDir, data_dir
from flows.cluster import AUTO, require_cluster
from flows.server import require_answer

Runner = Literal["local", "ray"]
P = ParamSpec("P")
T = TypeVar("T")


def spread(flow: Callable[P, T]) -> Callable[P, T]:
    """A flow's function whose tasks go where its parameter `runner` says.

    So it is set for a run, for a deployment and on a command line alike.
    """
    parameters = inspect.signature(flow)

    @wraps(flow)
    def run(*given: P.args, **named: P.kwargs) -> T:
        values = parameters.bind(*given, **named)
        values.apply_defaults()
        with on_runner(values.arguments["runner"], data_dir(values.arguments["data_dir"])):
            return flow(*given, **named)

    return run


@contextmanager
def on_runner(runner: Runner, data: DataDir) -> Iterator[None]:
    """Within a flow: what is submitted goes to a runner.

    Raises:
        CollabError: as `require_runner`.
    """
    require_runner(runner, data)
    if runner == "local":
        yield
        return
    import ray
    from prefect_ray import RayTaskRunner
    from prefect_ray.context import remote_options

    ray.init(address=AUTO, namespace="prefect", log_to_driver=False)
    try:
        gpus = 1 if ray.cluster_resources().get("GPU") else 0
        context = FlowRunContext.get()
        assert context
        with (
            remote_options(num_cpus=1, num_gpus=gpus),
            RayTaskRunner() as task_runner,
            context.model_copy(update={"task_runner": task_runner}),
        ):
            yield
    finally:
        ray.shutdown()


@cache  # a command line looks before its flow does
def require_runner(runner: Runner, data: DataDir) -> None:
    """Refuse a runner on which training cannot end well, within a minute.

    Raises:
        CollabError: Ray is not installed, no server answers that the cluster could report to, there
            is no cluster, or its nodes do not share the data folder.
    """
    if runner == "local":
        return
    if not os.environ.get("PREFECT_API_URL"):
        raise CollabError(
            "--runner ray needs a Prefect server that the cluster reaches; set PREFECT_API_URL."
        )
    try:
        import prefect_ray  # noqa: F401
    except ImportError as error:
        raise CollabError(
            f"--runner ray needs prefect-ray ({error}); install the extra: pip install -e '.[ray]'"
        ) from error
    require_answer(os.environ["PREFECT_API_URL"])
    data.root.mkdir(parents=True, exist_ok=True)
    require_cluster(data)
