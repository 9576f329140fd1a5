"""Processes that `deploy.serve` starts, and how they and all that they started are ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 6.0


def start(arguments: list[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start `python -m ...`, logging to a file; in its own session, where Ctrl-C is not felt."""
    with log.open("a", encoding="utf-8") as file:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )


def descendants(pid: int) -> list[int]:
    """All living processes that a process started, directly or not."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found, parents = [], {pid}
    while parents:
        parents = {child for child, parent in pairs if parent in parents}
        found += sorted(parents)
    return found


def end(child: subprocess.Popen[str]) -> None:
    """End a process after what it started: the latter first, so that it can still take notice."""
    end_all(descendants(child.pid))
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def end_all(pids: Iterable[int]) -> None:
    """SIGTERM, and SIGKILL for those that still live after the grace period."""
    pids = list(pids)
    send(pids, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while any(lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    send(pids, signal.SIGKILL)


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(shown) and not shown.startswith("Z")
