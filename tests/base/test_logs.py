"""Log lines as JSON, and the one variable that asks Prefect for them."""

import json
import logging
import os
import sys
from pathlib import Path

import pytest
from prefect.logging.configuration import load_logging_config

import flows
from collab.base.logs import JsonFormatter


def line(message: str, *values: object, **more: object) -> dict[str, str]:
    """A record of ours as it is written, on one line."""
    record = logging.LogRecord("collab.x", logging.INFO, "x.py", 1, message, values, None)
    vars(record).update(more)
    text = JsonFormatter("default").format(record)
    assert "\n" not in text
    told: dict[str, str] = json.loads(text)
    return told


def test_a_line_says_when_what_and_of_which_run() -> None:
    told = line("%s: pass %d\nof 3", "als", 1, flow_run_name="ml-100k", task_run_id=None)
    assert told.pop("at").endswith("+00:00")
    assert told == {
        "level": "INFO",
        "logger": "collab.x",
        "message": "als: pass 1\nof 3",
        "flow_run_name": "ml-100k",
    }


def test_a_traceback_is_in_it() -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        told = line("failed", exc_info=sys.exc_info())
    assert told["error"].startswith("Traceback")
    assert told["error"].endswith("ValueError: bad")


def test_one_variable_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(flows.ENV_LOG, raising=False)
    assert flows.log_settings() == {}
    monkeypatch.setenv(flows.ENV_LOG, "json")
    for name, value in flows.log_settings().items():
        monkeypatch.setitem(os.environ, name, value)
    import prefect.logging.configuration as configuration

    config = load_logging_config(Path(configuration.DEFAULT_LOGGING_SETTINGS_PATH))
    assert config["handlers"]["console"]["formatter"] == "json"
    formatters = {"json": config["formatters"]["json"]}
    others = {"disable_existing_loggers": False}  # those of the tests that follow
    logging.config.dictConfig({"version": 1, "formatters": formatters, **others})
    assert config["formatters"]["json"]["class"] == f"{JsonFormatter.__module__}.JsonFormatter"
