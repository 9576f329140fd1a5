"""The flows: one file each, and what must be set before Prefect is imported."""

import atexit
import logging
import os
import warnings

ENV_LOG = "COLLAB_LOG"
JSON_LOGS = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER": "json",
    "PREFECT_LOGGING_FORMATTERS_JSON_CLASS": "collab.base.logs.JsonFormatter",
    "PREFECT_LOGGING_COLORS": "false",
}


def log_settings() -> dict[str, str]:
    """What COLLAB_LOG asks of Prefect's log lines: `json`, or as they are."""
    return JSON_LOGS if os.environ.get(ENV_LOG) == "json" else {}


# Defaults, not decisions: whoever sets one of these keeps it.
for _name, _value in {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 is too short on a busy machine
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "collab",  # the library's log lines belong to their run
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",  # the library is used without one too
    "DO_NOT_TRACK": "1",
    **log_settings(),
}.items():
    os.environ.setdefault(_name, _value)

logging.getLogger("collab").setLevel(logging.INFO)
# `server.reported` says it, and what to do
warnings.filterwarnings("ignore", message="Failed to create the Prefect home directory")


@atexit.register  # registered before Prefect's own handlers, so it runs after them
def _silence_native_teardown() -> None:
    """Drop what native libraries print once Python is gone.

    Prefect's service threads hold the flow, and through it duckdb, until the process ends; duckdb's
    binding then prints a page about objects that were not freed.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
