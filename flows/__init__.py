"""The flows: one file each, and what Prefect must know before it is imported."""

import os

# Defaults, not decisions: whoever sets one of these keeps it.
for _name, _value in {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 is too short on a busy machine
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "collab",  # the library's log lines belong to their run
    "DO_NOT_TRACK": "1",
}.items():
    os.environ.setdefault(_name, _value)
