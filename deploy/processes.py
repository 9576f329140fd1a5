"""Processes that `deploy.serve` starts, and how they and all that they started are ended."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from types import FrameType

import psutil

PART = "deploy.part"
GRACE_SECONDS = 20.0  # on a busy machine a flow run needs some of them to say why it ends
LARGEST_LOG = 16 << 20  # bytes


def start(
    arguments: list[str], log: Path | None, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start a part, `python -m ...`, in its own session, where Ctrl-C is not felt.

    Args:
        arguments: after `-m`.
        log: the file it logs to; None: our own standard output.
        environment: its variables.
    """
    with log.open("a", encoding="utf-8") if log else nullcontext() as file:
        return subprocess.Popen(
            [sys.executable, "-m", PART, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )


def rotate(log: Path | None) -> None:
    """Move a log that grew large aside, as `.1`, in place of the last; its writer goes on.

    The writer appends to the file it has open, so that is emptied, not renamed: what it writes in
    that moment may be lost.
    """
    if log and log.exists() and log.stat().st_size > LARGEST_LOG:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def heed_signals() -> None:
    """SIGTERM is Ctrl-C, and so is the end of the terminal, but below `nohup`."""
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, interrupt)


def interrupt(number: int, frame: FrameType | None) -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def heed_no_more() -> None:
    """While all is being ended, a second Ctrl-C would leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def descendants(pid: int) -> list[psutil.Process]:
    """All processes that a process started, directly or not; none where it is gone.

    They are known by pid and time of creation, so that no signal reaches another process that was
    given the pid of one that ended.
    """
    with suppress(psutil.NoSuchProcess):
        return list(psutil.Process(pid).children(recursive=True))
    return []


def end(child: subprocess.Popen[str]) -> None:
    """End a process after what it started: the latter first, so that it can still take notice."""
    if child.poll() is not None:  # its pid may be another's by now
        return
    end_all(descendants(child.pid))
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def end_all(processes: Iterable[psutil.Process]) -> None:
    """SIGTERM, and SIGKILL for those that still live after the grace period."""
    processes = list(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    while any(lives(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def lives(process: psutil.Process) -> bool:
    """Whether a process is there and no zombie."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
