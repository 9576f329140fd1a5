"""Start one child process for a run on a leased device, and follow it."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from collab.base.errors import CollabError
from collab.base.files import is_whole
from collab.estimators.sgd.recipe import Recipe
from collab.runs.devices import Slot, lease
from collab.runs.run import Run, RunSpec, load_run

log = logging.getLogger(__name__)


class Stop:
    """What ends the training children of this process, and starts no more."""

    def __init__(self) -> None:
        """Nothing is stopped yet."""
        self.asked = False
        self.children: set[subprocess.Popen[str]] = set()

    def __call__(self) -> bool:
        """Ask every child to end; returns whether there was any."""
        self.asked = True
        running = list(self.children)
        for child in running:
            child.terminate()
        return bool(running)

    def refuse(self) -> None:
        """Refuse to go on where it was asked.

        Raises:
            CollabError: it was.
        """
        if self.asked:
            raise CollabError("Interrupted. What is committed is kept: run it again to go on.")


STOP = Stop()


class ChildDiedError(RuntimeError):
    """A training child ended without a result and without a reason of its own; try it again."""


def run_in_child(
    spec: RunSpec,
    slots: list[Slot],
    *,
    force: bool = False,
    on_epoch: Callable[[dict[str, Any]], None] = lambda event: None,
) -> tuple[Run, bool]:
    """Train a run in a process of its own on the first free slot.

    Args:
        spec: the run; its device is of the slots' kind.
        slots: the devices it may use.
        force: train even where the run is committed.
        on_epoch: told of every epoch as it ends, `train.Progress` in plain values.

    Returns:
        The run, and whether it was trained now.

    Raises:
        CollabError: training stopped for a reason the user can mend.
        ChildDiedError: the process died.
    """
    if not force and is_whole(spec.folder):
        log.info("%s is committed; not trained again", spec.run_id)
        return load_run(spec.folder), False
    with lease(slots) as slot:
        STOP.refuse()
        log.info("%s: training on %s with %d thread(s)", spec.run_id, slot.name, slot.threads)
        request = {"spec": spec.to_json(), "force": force}

        def report(event: dict[str, Any]) -> None:
            log_epoch(spec.recipe, event)
            on_epoch(event)

        trained = follow(start_child(slot), request, report)
    run = load_run(spec.folder)
    log_result(run)
    return run, trained


def log_epoch(recipe: Recipe, event: dict[str, Any]) -> None:
    """One line for an epoch, an event being `train.Progress` in plain values."""
    log.info(
        "%s: epoch %d of %d, train loss %.4f, valid MSE %.4f, %.1f s",
        recipe.name,
        event["epoch"],
        recipe.epochs,
        event["train_loss"],
        event["valid"]["mse"],
        event["seconds"],
    )


def log_result(run: Run) -> None:
    """One line for a run that ended: its errors, and the rows of users and items never seen."""
    record = run.record
    log.info(
        "%s: valid MSE %.4f on %d rows (%d of unknown users, %d of unknown items), %.1f s",
        run.run_id,
        record["mse"],
        record["n_valid"],
        record["unknown_user_rows"],
        record["unknown_item_rows"],
        record["seconds"],
    )


def start_child(slot: Slot) -> subprocess.Popen[str]:
    """A child that sees one device."""
    return subprocess.Popen(
        [sys.executable, "-m", "collab.runs.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **slot.environment()},
        process_group=0,  # Ctrl-C on a terminal is the parent's to feel: it ends its children
    )


def follow(
    child: subprocess.Popen[str],
    request: dict[str, Any],
    on_epoch: Callable[[dict[str, Any]], None],
) -> bool:
    """Send a child its request, pass on what it says, and judge its end.

    Returns:
        Whether it trained, or found the run committed.
    """
    assert child.stdin
    assert child.stdout
    trained = True
    with child:
        STOP.children.add(child)
        try:
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()  # and it stays open: the child ends when it closes
            for line in child.stdout:
                event = json.loads(line)
                if "error" in event:
                    raise CollabError(event["error"])
                if "trained" in event:
                    trained = event["trained"]
                else:
                    on_epoch(event)
        except BrokenPipeError:  # it died before it read; its exit code says how
            pass
        except BaseException:
            child.kill()
            raise
        finally:
            STOP.children.discard(child)
    STOP.refuse()
    if child.returncode:
        raise ChildDiedError(f"the training process ended with {describe_exit(child.returncode)}")
    return trained


def describe_exit(code: int) -> str:
    """An exit code or a signal in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
