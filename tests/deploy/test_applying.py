"""Automations that are what they should be are left alone, also those that were paused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from prefect.events.schemas.automations import Automation, AutomationCore

from deploy import applying
from deploy.applying import apply, window
from deploy.automations import alone, blocked, crashed, stuck

BEAT = timedelta(seconds=90)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What is done to the server's automations, and whether they are enabled by it."""
    done: list[tuple[str, bool]] = []

    class Told(AutomationCore):
        id: Any = None

        def create(self) -> None:
            done.append(("create", self.enabled))

        def update(self) -> None:
            done.append(("update", self.enabled))

    monkeypatch.setattr("prefect.automations.Automation", Told)
    return done


def there(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    """Let the server have `crashed`, as it gives it back."""
    told = crashed(BEAT).model_dump() | changed
    monkeypatch.setattr(applying, "find", lambda name: Automation(**told, id=uuid4()))


def test_what_is_there_is_left_alone(
    done: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    there(monkeypatch, enabled=False)
    assert not apply(crashed(BEAT))
    assert done == []


def test_what_differs_is_updated_and_stays_paused(
    done: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    there(monkeypatch, enabled=False)
    assert apply(crashed(2 * BEAT))
    assert done == [("update", False)]


def test_what_is_not_there_is_created(
    done: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "find", lambda name: None)
    assert apply(crashed(BEAT))
    assert done == [("create", True)]


def test_a_window_is_as_given_else_as_it_is_there_else_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = timedelta(seconds=1)
    there(monkeypatch)
    assert window("collab: crashed", 45, second, default=60) == 45 * second
    assert window("collab: crashed", None, second, default=60) == BEAT
    monkeypatch.setattr(applying, "find", lambda name: None)
    assert window("collab: crashed", None, second, default=60) == 60 * second


def test_one_that_never_began_is_crashed_and_two_cancelled_runs_are_told() -> None:
    """The one sends no heartbeat; of the others one alone is as declared."""
    begins: Any = stuck(timedelta(minutes=15))
    assert begins.trigger.after == {"prefect.flow-run.Pending"}
    assert "prefect.flow-run.Running" in begins.trigger.expect
    assert begins.actions[0].message == "It did not begin in 15 minutes."
    assert begins.name in {each.name for each in alone(BEAT, uuid4(), uuid4())}
    cancelled: Any = blocked(uuid4()).trigger
    assert cancelled.threshold == 2
    assert cancelled.for_each == {"related:deployment:prefect.resource.id"}
    assert cancelled.within > timedelta(days=7), "two of a weekly run"
