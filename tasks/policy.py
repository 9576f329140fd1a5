"""What all tasks share: which failures are tried again, and how they are logged."""

import logging
from typing import Any

from collab.base.errors import CollabError, TransientError


def without_traceback(record: logging.LogRecord) -> bool:
    """A logging filter: an error that the user can mend is logged by its text alone."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, CollabError):
        record.exc_info = None
        record.msg, record.args = "%s", (error,)
    return True


for _name in ("prefect.flow_runs", "prefect.task_runs"):
    logging.getLogger(_name).addFilter(without_traceback)


def may_retry(task: Any, run: Any, state: Any) -> bool:
    """Whether trying again can help: not where the user has to mend something first."""
    try:
        state.result()
    except Exception as error:
        return isinstance(error, TransientError) or not isinstance(error, CollabError)
    return False
