"""Start one child process for a run on a leased device, and follow it."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from collab.base.errors import CollabError
from collab.base.files import is_whole
from collab.runs.devices import Slot, lease
from collab.runs.record import Run, load_run
from collab.runs.spec import RunSpec
from collab.runs.stop import STOP, Child

CHILD = "collab.runs.child"
STDERR = 2

log = logging.getLogger(__name__)


class ChildDiedError(RuntimeError):
    """A training child ended without a result and without a reason of its own; try it again."""


def run_in_child(
    spec: RunSpec,
    slots: list[Slot],
    *,
    force: bool = False,
    on_pass: Callable[[dict[str, Any]], None] = lambda event: None,
) -> tuple[Run, bool]:
    """Train a run in a process of its own on the first free slot.

    Args:
        spec: the run; its device is of the slots' kind.
        slots: the devices it may use.
        force: train even where the run is committed.
        on_pass: told of every pass as it ends: `train.Progress` in plain values.

    Returns:
        The run, and whether it was trained now.

    Raises:
        CollabError: training stopped for a reason the user can mend, or was interrupted.
        ChildDiedError: the process died.
    """
    if not force and is_whole(spec.folder):
        log.info("%s is committed; not trained again", spec.run_id)
        return load_run(spec.folder), False
    with lease(slots) as slot:
        STOP.refuse()
        log.info("%s: training on %s with %d thread(s)", spec.run_id, slot.name, slot.threads)

        def report(event: dict[str, Any]) -> None:
            log_pass(spec.run_id, event)
            on_pass(event)

        trained = follow(
            slot, {"spec": spec.to_json(), "run_id": spec.run_id, "force": force}, report
        )
    run = load_run(spec.folder)
    log_result(run)
    return run, trained


def log_pass(run_id: str, event: dict[str, Any]) -> None:
    """One line for a pass over the data that ended."""
    valid = event["valid"]
    log.info(
        "%s: pass %d of %d, train loss %.4f%s, %.1f s",
        run_id,
        event["number"],
        event["passes"],
        event["train_loss"],
        f", valid MSE {valid['mse']:.4f}" if valid else "",
        event["seconds"],
    )


def log_result(run: Run) -> None:
    """One line for a run that ended: its errors, and the rows of users and items never seen."""
    record = run.record
    if record.mse is None:
        log.info("%s: trained on all %d rows, %.1f s", run.run_id, record.n_train, record.seconds)
        return
    log.info(
        "%s: valid MSE %.4f on %d rows (%d of unknown users, %d of unknown items), %.1f s",
        run.run_id,
        record.mse,
        record.n_valid,
        record.unknown_user_rows,
        record.unknown_item_rows,
        record.seconds,
    )


def start_child(slot: Slot, channel: int) -> Child:
    """A child that sees one device and tells by a pipe of its own what it has to tell.

    What libraries print on its standard output goes where its errors go.
    """
    return subprocess.Popen(
        [sys.executable, "-m", CHILD, str(channel)],
        stdin=subprocess.PIPE,
        stdout=STDERR,
        pass_fds=[channel],
        text=True,
        env={**os.environ, **slot.environment()},
        process_group=0,  # Ctrl-C on a terminal is the parent's to feel: it ends its children
    )


def follow(slot: Slot, request: dict[str, Any], on_pass: Callable[[dict[str, Any]], None]) -> bool:
    """Start a child, send it its request, pass on what it says, and judge its end.

    Returns:
        Whether it trained, or found the run committed.
    """
    trained = True
    receiving, sending = os.pipe()
    with (
        os.fdopen(receiving, encoding="utf-8") as events,
        os.fdopen(sending, "wb") as channel,
        STOP.watching(lambda: start_child(slot, channel.fileno())) as child,
    ):
        channel.close()  # the child has its own, and what it says ends when it does
        send(child, request)
        for line in events:
            event = json.loads(line)
            if "error" in event:
                raise CollabError(event["error"])
            if "trained" in event:
                trained = event["trained"]
            else:
                on_pass(event)
    STOP.refuse()
    if child.returncode:
        raise ChildDiedError(f"the training process ended with {describe_exit(child.returncode)}")
    return trained


def send(child: Child, request: dict[str, Any]) -> None:
    """Send a child its request; its input stays open, for it ends when that closes."""
    assert child.stdin
    try:
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
    except BrokenPipeError:  # it died before it read; its exit code says how
        with suppress(BrokenPipeError):
            child.stdin.close()


def describe_exit(code: int) -> str:
    """An exit code or a signal in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
