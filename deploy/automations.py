"""The automations as code: `python -m deploy.automations` creates or updates them.

collab: crashed         a flow run whose heartbeat is lost is marked Crashed
collab: overdue         no publication for so many hours starts `watch`, which says so
collab: notification    a failed, crashed or overdue run is told through a block
"""

import sys
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import httpx
from cyclopts.types import PositiveFloat
from prefect.automations import (
    Automation,
    ChangeFlowRunState,
    EventTrigger,
    Posture,
    RunDeployment,
    SendNotification,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events import emit_event
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

from collab.base.errors import CollabError
from collab.cli.app import make_app, run
from flows.watch import PUBLICATION_OVERDUE
from tasks.events import TABLES_PUBLISHED

HEARTBEAT = "prefect.flow-run.heartbeat"
ENDS = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
APPLIED = "collab.automations.applied"
BLOCK = "slack-webhook/collab-alerts"
BODY = """{% if event.event.startswith("prefect.flow-run") -%}
{{ flow.name }} '{{ flow_run.name }}' is {{ flow_run.state.name }}: {{ flow_run.state.message }}
{{ flow_run|ui_url }}
{%- else %}{{ event.event }}: {{ event.payload }}{% endif %}"""

app = make_app(
    "python -m deploy.automations",
    "The automations: they mark what crashed, start the watch when nothing was published for too "
    "long, and tell of both. Applied again they become what they should be.",
    "python -m deploy.automations --block custom-webhook/collab-alerts",
)


def crashed(window: timedelta) -> AutomationCore:
    """A flow run that began to send heartbeats and stopped without an end has crashed."""
    return AutomationCore(
        name="collab: crashed",
        description="Marks a flow run Crashed whose process or machine is gone.",
        trigger=EventTrigger(
            after={HEARTBEAT},
            expect={HEARTBEAT, *ENDS},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=window,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name="Crashed",
                force=False,
                message=f"No heartbeat for {window.total_seconds():g} seconds.",
            )
        ],
    )


def overdue(watch: UUID, window: timedelta) -> AutomationCore:
    """No publication in a window starts the deployment `watch/watch`, and again for each window."""
    return AutomationCore(
        name="collab: overdue",
        description="Starts `watch` when nothing was published for too long.",
        trigger=EventTrigger(
            expect={TABLES_PUBLISHED, APPLIED},  # the second starts the first window
            posture=Posture.Proactive,
            threshold=1,
            within=window,
        ),
        actions=[
            RunDeployment(
                source="selected",
                deployment_id=watch,
                parameters={"hours": window.total_seconds() / 3600},
                job_variables=None,
            )
        ],
    )


def notification(block: UUID) -> AutomationCore:
    """Failures and overdue publications go to a notification block."""
    return AutomationCore(
        name="collab: notification",
        description="Tells of failed and crashed runs and of an overdue publication.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed", PUBLICATION_OVERDUE},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[SendNotification(block_document_id=block, subject="collab", body=BODY)],
    )


def find_block(name: str) -> UUID | None:
    """The id of a block named `type/name`; None where there is none."""
    kind, _, document = name.partition("/")
    with get_client(sync_client=True) as client:
        try:
            return client.read_block_document_by_name(document, kind).id
        except ObjectNotFound:
            return None


def find_watch() -> UUID:
    """The id of the deployment that says what is overdue.

    Raises:
        CollabError: the deployments are not there yet.
    """
    with get_client(sync_client=True) as client:
        try:
            return client.read_deployment_by_name("watch/watch").id
        except ObjectNotFound as error:
            raise CollabError(
                "There is no deployment watch/watch. Run `prefect --no-prompt deploy --all` first."
            ) from error


def apply(wanted: AutomationCore) -> None:
    """Create an automation, or make the one of its name what is wanted."""
    with get_client(sync_client=True) as client:
        there = client.read_automations_by_name(wanted.name)
    if there:
        Automation(**wanted.model_dump(), id=there[0].id).update()
    else:
        Automation(**wanted.model_dump()).create()


def apply_all(hours: float, heartbeat: float, block: str) -> str:
    """Apply every automation; returns what is said of it."""
    apply(crashed(timedelta(seconds=heartbeat)))
    apply(overdue(find_watch(), timedelta(hours=hours)))
    emit_event(event=APPLIED, resource={"prefect.resource.id": "collab.automations"})
    there = find_block(block)
    if there is None:
        return f"Applied: crashed, overdue. No notification: there is no block {block}."
    apply(notification(there))
    return f"Applied: crashed, overdue, notification through {block}."


@app.default
def command(
    *, hours: PositiveFloat = 192, heartbeat: PositiveFloat = 90, block: str = BLOCK
) -> None:
    """Create the automations, or make those that are there what they should be.

    Args:
        hours: Without a publication, until `watch` says that it is overdue.
        heartbeat: Seconds without one, until a flow run is marked Crashed.
        block: Of notifications, TYPE/NAME; without such a block there are none.
    """
    try:
        told = apply_all(hours, heartbeat, block)
    except httpx.TransportError as error:
        raise CollabError(
            f"No Prefect server answers at {PREFECT_API_URL.value()}. "
            "Start one with `make serve`, or set PREFECT_API_URL to yours."
        ) from error
    sys.stdout.write(f"{told}\n")


def main(tokens: Sequence[str] | None = None) -> int:
    """Apply all automations; returns the exit code."""
    return run(app, tokens)


if __name__ == "__main__":
    sys.exit(main())
