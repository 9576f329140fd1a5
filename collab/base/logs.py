"""Log lines for machines: one JSON object each."""

import json
import logging
from datetime import UTC, datetime

OF_RUN = ("flow_name", "flow_run_id", "flow_run_name", "task_run_id", "task_run_name")


class JsonFormatter(logging.Formatter):
    """`at`, `level`, `logger`, `message`; the names of its run; `error`, a traceback."""

    def __init__(
        self, fmt: str | None = None, datefmt: str | None = None, style: str = "%"
    ) -> None:
        """Made by a logging configuration, whose formats are those of text."""
        super().__init__()

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: str(value) for name in OF_RUN if (value := getattr(record, name, None))}
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)
