"""Command lines of flows that train, and what Ctrl-C, SIGTERM and SIGHUP do to them."""

import os
import signal
from types import FrameType

from cyclopts import App

from collab.cli.app import run
from collab.runs.stop import STOP


def interrupt(number: int, frame: FrameType | None) -> None:
    """On Ctrl-C end the training children: their tasks fail, and so the flow, at once."""
    if not STOP():
        raise KeyboardInterrupt


def end(number: int, frame: FrameType | None) -> None:
    """On SIGTERM leave in an orderly way, so that a server of the flow's own ends with it."""
    STOP()
    raise SystemExit(128 + number)


def hang_up(number: int, frame: FrameType | None) -> None:
    """The end of a terminal is SIGTERM, which Prefect knows."""
    os.kill(os.getpid(), signal.SIGTERM)


def run_interruptible(app: App, arguments: list[str] | None = None) -> int:
    """Run a command line; returns the exit code: 130 for Ctrl-C, 143 for SIGTERM."""
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as below `nohup`
        signal.signal(signal.SIGHUP, hang_up)
    code = run(app, arguments)
    return 130 if code == 1 and STOP.asked else code
