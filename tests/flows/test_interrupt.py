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


ENDED = """
import atexit, os, signal, time
from cyclopts import App
from flows.interrupt import run_interruptible

app = App()

@app.default
def wait():
    os.kill(os.getpid(), signal.{name})
    time.sleep(1)
    print("went on")

atexit.register(print, "in order")
run_interruptible(app, [])
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_what_ends_it_lets_it_end_its_server(name: str) -> None:
    """Prefect ends a flow's own server at the exit of Python, which a bare signal leaves out."""
    command = [sys.executable, "-c", ENDED.format(name=name)]
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run below `nohup`
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "in order\n")


def test_below_nohup_it_goes_on() -> None:
    command = ["nohup", sys.executable, "-c", ENDED.format(name="SIGHUP")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\nin order\n")
