"""Command lines of flows that train, and what Ctrl-C does to them."""

import signal
from types import FrameType

from cyclopts import App

from collab.cli.app import run
from collab.runs.stop import STOP


def interrupt(number: int, frame: FrameType | None) -> None:
    """On Ctrl-C end the training children: their tasks fail, and so the flow, at once."""
    if not STOP():
        raise KeyboardInterrupt


def run_interruptible(app: App, arguments: list[str] | None = None) -> int:
    """Run a command line; returns the exit code, 130 where Ctrl-C ended it."""
    signal.signal(signal.SIGINT, interrupt)
    code = run(app, arguments)
    return 130 if code == 1 and STOP.asked else code
