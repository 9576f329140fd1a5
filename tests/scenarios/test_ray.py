"""The pipeline over a local Ray cluster with simulated GPUs: one device a run, the same tables."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, task

from collab.base.paths import DataDir
from flows.runners import runner_options
from tests.published import tables
from tests.scenarios.stack import Stack
from tests.scenarios.test_interruption import begin, finish

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
START = """
import ray, sys
ray.init(num_cpus=2, num_gpus=2, include_dashboard=False, log_to_driver=False)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def cluster(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Ray cluster of two workers and two GPUs that are only said to be there."""
    pytest.importorskip("prefect_ray")
    settings = {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": f"{ROOT}:{os.getenv('PYTHONPATH', '')}"}
    with subprocess.Popen(
        [sys.executable, "-c", START],
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


@task
def device_seen(number: int) -> str:
    """The GPU that Ray leaves visible, held long enough for the other to get its own."""
    time.sleep(2)
    return os.environ["CUDA_VISIBLE_DEVICES"]


@flow
def devices_seen() -> list[str]:
    return sorted(device_seen.map([1, 2]).result())


@pytest.mark.usefixtures("cluster")
def test_each_run_sees_one_device() -> None:
    with runner_options("ray") as options:
        assert devices_seen.with_options(**options)() == ["0", "1"]


@pytest.mark.usefixtures("cluster")
def test_the_tables_are_those_of_the_local_runner(
    stack: Stack, quick: dict[str, Any], data: DataDir, tmp_path: Path
) -> None:
    finish(begin(stack, quick, "--runner", "ray"))
    alone = {**quick, "data_dir": str(tmp_path / "alone")}
    finish(begin(stack, alone))
    assert tables(data) == tables(DataDir(tmp_path / "alone"))
