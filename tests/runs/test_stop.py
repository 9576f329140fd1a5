"""SIGTERM ends the children before the one who handles it."""

import os
import signal
from collections.abc import Iterator

import pytest

from collab.runs import stop
from collab.runs.stop import ended_by_sigterm


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Who was told of SIGTERM, in this order."""
    told: list[str] = []
    monkeypatch.setattr(stop, "STOP", lambda: told.append("children"))
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append("handler"))
    yield told
    signal.signal(signal.SIGTERM, before)


def test_children_are_ended_first_and_only_meanwhile(told: list[str]) -> None:
    with ended_by_sigterm():
        os.kill(os.getpid(), signal.SIGTERM)
    assert told == ["children", "handler"]
    os.kill(os.getpid(), signal.SIGTERM)
    assert told == ["children", "handler", "handler"]


def test_where_nothing_handles_it_nothing_is_changed(told: list[str]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with ended_by_sigterm():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
