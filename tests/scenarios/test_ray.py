"""The pipeline over a local Ray cluster: one device a run, all nodes used, the same tables."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, task

from collab.base.paths import DataDir
from deploy.processes import end
from flows.runners import on_runner
from tests.published import tables
from tests.scenarios.stack import Stack, free_port, wait_for
from tests.scenarios.test_interruption import begin, finish

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
GPUS = """
import ray, sys
ray.init("local", num_cpus=2, num_gpus=2, include_dashboard=False, log_to_driver=False)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""
NODES = """
import sys
from ray.cluster_utils import Cluster
head = {"num_cpus": 1, "node_name": "one", "include_dashboard": True}
cluster = Cluster(initialize_head=True, head_node_args=head)
if "alone" not in sys.argv:
    cluster.add_node(num_cpus=1, node_name="two")
print(cluster.address, flush=True)
sys.stdin.read()
"""


@contextmanager
def running(stack: Stack, monkeypatch: pytest.MonkeyPatch, *start: str) -> Iterator[None]:
    """A Ray cluster that a program starts, and what is set to use it."""
    pytest.importorskip("prefect_ray")
    settings = {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": f"{ROOT}:{os.getenv('PYTHONPATH', '')}"}
    with subprocess.Popen(
        [sys.executable, "-c", *start],
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdin
        settings["RAY_ADDRESS"] = process.stdout.readline().strip()
        settings["PREFECT_API_URL"] = f"{stack.place.ui}/api"
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
            monkeypatch.setitem(stack.environment, name, value)
        yield
        process.stdin.close()


@pytest.fixture
def cluster(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One node of two workers and two GPUs that are only said to be there."""
    with running(stack, monkeypatch, GPUS):
        yield


@pytest.fixture
def nodes(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two nodes of one worker each."""
    with running(stack, monkeypatch, NODES):
        yield


@pytest.fixture
def hidden(stack: Stack, monkeypatch: pytest.MonkeyPatch, data: DataDir) -> Iterator[None]:
    """A head, and a node on which an empty folder lies where the data folder is."""
    data.root.mkdir()
    apart = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"']
    if subprocess.run([*apart, str(data.root), "true"], check=False).returncode:
        pytest.skip("this user may not mount a file system of its own")
    with running(stack, monkeypatch, NODES, "alone"):
        join = ["start", "--address", os.environ["RAY_ADDRESS"], "--num-cpus", "1", "--block"]
        command = [sys.executable, "-m", "ray.scripts.scripts", *join]
        with subprocess.Popen([*apart, str(data.root), *command], text=True) as node:
            try:
                wait_for(lambda: len(nodes_alive()) == 2, 60)
                yield
            finally:
                end(node)


def nodes_alive() -> dict[str, str]:
    """The cluster's nodes: name by id."""
    from ray.util.state import list_nodes

    return {node.node_id: node.node_name for node in list_nodes() if node.state == "ALIVE"}


def trained_on() -> list[str]:
    """The node of each training run."""
    from ray.util.state import list_tasks

    names = nodes_alive()
    return [names[t.node_id] for t in list_tasks(detail=True) if t.name == "train_variant"]


@task
def device_seen(number: int) -> str:
    """The GPU that Ray leaves visible, held long enough for the other to get its own."""
    time.sleep(2)
    return os.environ["CUDA_VISIBLE_DEVICES"]


@flow
def devices_seen(folder: Path) -> list[str]:
    with on_runner("ray", DataDir(folder)):
        return sorted(device_seen.map([1, 2]).result())


@pytest.mark.usefixtures("cluster")
def test_each_run_sees_one_device(tmp_path: Path) -> None:
    assert devices_seen(tmp_path) == ["0", "1"]


@pytest.mark.usefixtures("cluster")
def test_the_tables_are_those_of_the_local_runner(
    stack: Stack, quick: dict[str, Any], data: DataDir, tmp_path: Path
) -> None:
    finish(begin(stack, quick, "--runner", "ray"))
    alone = {**quick, "data_dir": str(tmp_path / "alone")}
    finish(begin(stack, alone))
    assert tables(data) == tables(DataDir(tmp_path / "alone"))


@pytest.mark.usefixtures("nodes")
def test_it_is_a_parameter_of_a_deployment(
    stack: Stack, quick: dict[str, Any], data: DataDir
) -> None:
    """The worker has RAY_ADDRESS from the job variables of the run."""
    ray = {"RAY_ADDRESS": os.environ["RAY_ADDRESS"], "RAY_AUTH_MODE": "disabled"}
    run = stack.run("pipeline/pipeline", {"env": ray}, **quick, runner="ray")
    assert stack.wait(run, "Completed", "Failed", "Crashed") == "Completed"
    assert len(trained_on()) >= 4  # two variants, the means they are held to, the release
    assert tables(data)["standings"]


@pytest.mark.usefixtures("nodes")
def test_chains_and_splits_are_spread_over_the_nodes(
    stack: Stack, quick: dict[str, Any], data: DataDir, tmp_path: Path
) -> None:
    """Four of the first split (two chains and their merger), four of the second, the release."""
    given = {**quick, "variants": ["dot_product_bias_wd", "bayesian_mf"], "splits": [42, 1]}
    finish(begin(stack, given, "--chains", "2", "--runner", "ray"))
    where = trained_on()
    assert len(where) >= 8
    assert set(where) == {"one", "two"}
    alone = {**given, "data_dir": str(tmp_path / "alone")}
    finish(begin(stack, alone, "--chains", "2"))
    assert tables(data) == tables(DataDir(tmp_path / "alone"))


@pytest.mark.usefixtures("hidden")
def test_a_data_folder_that_a_node_does_not_see(
    stack: Stack, quick: dict[str, Any], data: DataDir
) -> None:
    assert f"does not see the data folder {data.root}" in refused(stack, quick)
    assert list(data.root.iterdir()) == []


def test_no_cluster_at_the_address(
    stack: Stack, quick: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("prefect_ray")
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setitem(stack.environment, "RAY_ADDRESS", address)
    monkeypatch.setitem(stack.environment, "PREFECT_API_URL", f"{stack.place.ui}/api")
    assert f"The Ray cluster at {address} did not answer" in refused(stack, quick)


def refused(stack: Stack, given: dict[str, Any]) -> str:
    """The one line with which a pipeline ends."""
    process = begin(stack, given, "--runner", "ray")
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    (line,) = printed.splitlines()
    return str(line)
