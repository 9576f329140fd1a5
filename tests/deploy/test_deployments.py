"""What an operator set of a deployment is told from what deploying made of it."""

from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule

from deploy.deployments import changed, main, set_again, told

NIGHTLY, NOON = CronSchedule(cron="15 2 * * *"), CronSchedule(cron="0 12 * * *")


def deployment(*schedules: tuple[str, CronSchedule], **given: Any) -> DeploymentResponse:
    """One with schedules by their slugs."""
    made = [DeploymentSchedule(id=uuid4(), slug=slug, schedule=time) for slug, time in schedules]
    return DeploymentResponse(id=uuid4(), name="ingest", flow_id=uuid4(), schedules=made, **given)


class Client:
    """A server that keeps what it is told."""

    def __init__(self) -> None:
        self.updated: dict[str, Any] = {}
        self.times: list[Any] = []
        self.deleted: list[Any] = []

    def update_deployment(self, _: Any, update: Any) -> None:
        self.updated = update.model_dump(mode="json", exclude_unset=True)

    def update_deployment_schedule(self, _: Any, known: Any, *, schedule: Any) -> None:
        self.times.append((known, schedule.cron))

    def delete_deployment_schedule(self, _: Any, known: Any) -> None:
        self.deleted.append(known)


def test_where_nothing_was_set_nothing_is_left() -> None:
    made = deployment(("nightly", NIGHTLY), parameters={"edition": "ml-100k"})
    assert changed(told(made), told(made)) == {}


def test_what_was_set_is_set_again_and_what_is_declared_anew_is_taken_up() -> None:
    """Three parameters: one set, one removed, one left alone, which is declared otherwise now."""
    first = {"edition": "ml-100k", "keep_days": 30, "device": "auto"}
    was = deployment(("a", NIGHTLY), ("b", NIGHTLY), parameters=first, tags=["collab"])
    mine = {"edition": "ml-1m", "device": "auto"}
    now = deployment(("a", NOON), ("own", NOON), parameters=mine, tags=["mine"], paused=True)
    found = changed(told(was), told(now))
    assert set(found) == {
        "parameters.edition", "parameters.keep_days", "schedules.a", "schedules.b",
        "tags", "paused",
    }  # fmt: skip
    declared = {**first, "device": "cpu"}
    again = deployment(("a", NIGHTLY), ("b", NIGHTLY), ("own", NOON), parameters=declared)
    client: Any = Client()
    set_again(client, again, found)
    assert client.updated == {
        "parameters": {"edition": "ml-1m", "device": "cpu"}, "tags": ["mine"], "paused": True,
    }  # fmt: skip
    a, b, _ = again.schedules
    assert client.times == [(a.id, NOON.cron)]
    assert client.deleted == [b.id]


def test_without_a_place_to_deploy_to_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLAB_HOME", "/srv")
    monkeypatch.delenv("COLLAB_POOL", raising=False)
    assert main([]) == 1
    assert "error: COLLAB_POOL is not set" in capsys.readouterr().err
