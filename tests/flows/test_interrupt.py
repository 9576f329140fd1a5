"""Ctrl-C: the pipeline ends at once with its children, and says what is kept."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from prefect.settings import PREFECT_API_URL

from collab.runs.launch import CHILD
from deploy.processes import descendants, lives
from tests.scenarios.stack import having


@pytest.mark.usefixtures("prefect")
def test_ctrl_c_ends_the_children_and_the_run(planted_zip: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows.pipeline", "--archive", str(planted_zip)]
    command += ["--data-dir", str(tmp_path), "--trust-archive", "--device", "cpu"]
    process = subprocess.Popen(
        [*command, "--variants", "faithful", "--epochs", "100000"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value())},
    )
    children: list[psutil.Process] = []
    deadline = time.monotonic() + 120
    while not children and time.monotonic() < deadline:
        time.sleep(0.2)
        children = having(CHILD, descendants(process.pid))
    assert children
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    try:
        _, printed = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "error: Interrupted. What is committed is kept" in printed
    assert "Traceback" not in printed
    assert not any(lives(child) for child in children)
