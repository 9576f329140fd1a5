"""Flows in the journal: that they run, how they ended, and that they were killed."""

import inspect
from collections.abc import Callable
from functools import wraps
from signal import Signals
from typing import ParamSpec, TypeVar

from prefect.exceptions import TerminationSignal
from prefect.runtime import flow_run

from collab.base.alive import running
from collab.base.fingerprint import refuse_changed_code
from collab.base.paths import data_dir

P = ParamSpec("P")
T = TypeVar("T")


def recorded(flow: Callable[P, T]) -> Callable[P, T]:
    """A flow's function that keeps the journal of its data folder.

    What it refuses is there too, although no step of it began; and where it failed after the code
    changed under it, whatever of it was missed, that is said to be why.
    """
    parameters = inspect.signature(flow)

    @wraps(flow)
    def run(*given: P.args, **named: P.kwargs) -> T:
        values = parameters.bind(*given, **named)
        values.apply_defaults()
        known = {"edition": values.arguments.get("edition"), "flow_run": flow_run.get_id()}
        with running(data_dir(values.arguments.get("data_dir")), flow.__name__, **known):
            try:
                return flow(*given, **named)
            except Exception:
                refuse_changed_code()
                raise
            except TerminationSignal as error:  # which says nothing itself
                error.args = (f"It was ended by {Signals(error.signal).name}.",)
                raise

    return run
