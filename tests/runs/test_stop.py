"""What ends this process in an orderly way ends the children before it is handled."""

import os
import signal
from collections.abc import Iterator

import pytest

from collab.runs import stop
from collab.runs.stop import ended_with_us


class Terminated(BaseException):
    """What a handler of SIGTERM raises."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Who was told to end."""
    told: list[str] = []
    monkeypatch.setattr(stop, "STOP", lambda: told.append("children"))

    def handle(number: int, frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, handle)
    yield told
    signal.signal(signal.SIGTERM, before)


def test_children_are_ended_first_and_only_meanwhile(told: list[str]) -> None:
    with pytest.raises(Terminated), ended_with_us():
        os.kill(os.getpid(), signal.SIGTERM)
    assert told == ["children"]
    with pytest.raises(Terminated):
        os.kill(os.getpid(), signal.SIGTERM)
    assert told == ["children"]


def test_the_handler_stays_who_it_is(told: list[str]) -> None:
    """Prefect believes a cancellation only where its own handler is in place."""
    handler = signal.getsignal(signal.SIGTERM)
    with ended_with_us():
        assert signal.getsignal(signal.SIGTERM) is handler


def test_a_failure_ends_no_child(told: list[str]) -> None:
    with pytest.raises(ValueError, match="of its own"), ended_with_us():
        raise ValueError("of its own")
    assert told == []
