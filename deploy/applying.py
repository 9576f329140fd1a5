"""Automations are created, or changed where they differ; what an operator set stays as it is."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect import automations
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger

SERVERS_OWN = {"id", "created", "updated"}  # which the server adds


def find(name: str) -> Automation | None:
    """The automation of a name."""
    with get_client(sync_client=True) as client:
        return next(iter(client.read_automations_by_name(name)), None)


def apply(wanted: AutomationCore) -> bool:
    """Create an automation, or make the one of its name what is wanted, if it is not.

    An update gives the trigger a new id, and what it was waiting for is forgotten: hence only where
    something differs. One that is paused stays paused.

    Returns:
        Whether anything was done.
    """
    there = find(wanted.name)
    if there is None:
        automations.Automation(**wanted.model_dump()).create()
        return True
    wanted = wanted.model_copy(update={"enabled": there.enabled})
    if told(wanted) == told(there):
        return False
    automations.Automation(**wanted.model_dump(), id=there.id).update()
    return True


def told(automation: AutomationCore) -> Any:
    """What an automation says, without what the server adds."""
    return stripped(automation.model_dump(mode="json"))


def stripped(value: Any) -> Any:
    """A JSON value without ids, and without the order of its lists, which are sets here."""
    if isinstance(value, dict):
        return {k: stripped(v) for k, v in value.items() if k not in SERVERS_OWN}
    if isinstance(value, list):
        return sorted((stripped(each) for each in value), key=str)
    return value


def window(name: str, given: float | None, unit: timedelta, *, default: float) -> timedelta:
    """The window of an automation: as given, else as it is there, else the default."""
    there = find(name) if given is None else None
    if there is not None and isinstance(there.trigger, EventTrigger):
        return there.trigger.within
    return (default if given is None else given) * unit


def blocks_of(names: Iterable[str]) -> list[UUID]:
    """The blocks that automations tell through, of those that are there."""
    found = [there for name in names if (there := find(name))]
    told = [getattr(a, "block_document_id", None) for each in found for a in each.actions]
    return [block for block in told if block]
