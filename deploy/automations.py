"""The automations as code: `python -m deploy.automations` creates or updates them.

collab: crashed         a flow run whose heartbeat is lost is marked Crashed
collab: stuck           and so is one that was taken by a worker and never ran
collab: notification    a failed or crashed run is told through a block
collab: overdue         and so is an edition of which nothing was published for so many hours
collab: late            and a run that nothing starts
collab: blocked         and a deployment whose limit is held, perhaps by a run that is gone
collab: train …, publish …   the chain of events; see `chain`
"""

import sys
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import httpx
from cyclopts.types import PositiveFloat
from prefect.automations import (
    ChangeFlowRunState,
    EventTrigger,
    Posture,
    SendNotification,
)
from prefect.client.schemas.objects import StateType
from prefect.events.schemas.automations import AutomationCore
from prefect.settings import PREFECT_API_URL

from collab.base.errors import CollabError
from collab.cli.app import make_app, run
from deploy import chain
from deploy.applying import apply, window
from deploy.notifications import find_block, send_test, why_nobody
from tasks.events import DATA_DIR, TABLES_PUBLISHED

HEARTBEAT = "prefect.flow-run.heartbeat"
ENDS = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
STARTS = {
    f"prefect.flow-run.{state}" for state in ("Pending", "Running", "AwaitingConcurrencySlot")
}
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
BLOCKED = timedelta(days=8)  # two of a weekly run
STUCK = timedelta(minutes=15)  # on a busy machine a process begins after two
LATE = timedelta(minutes=10)  # a worker that lives asks every few seconds
BODY = """{{ flow.name }} '{{ flow_run.name }}' is {{ flow_run.state.name }}:
{{ flow_run.state.message }}
{{ flow_run|ui_url }}"""
TWICE = """Two runs of {{ deployment.name }} were cancelled by its limit within some days.
If nothing of it runs (`collab status`), set the state of the run that holds it to Crashed.
{{ flow_run|ui_url }}"""
OVERDUE = """Nothing of {{{{ event.payload.edition }}}} was published for {hours:g} hours:
neither made nor found in place, in {{{{ event.payload.data_dir }}}}. `collab status` says more."""

app = make_app(
    "python -m deploy.automations",
    "The automations: they start what an event asks for, mark what crashed, and tell of it, of "
    "failures, of runs that nothing starts and of editions that were not published for too long. "
    "Applied again only what differs is changed; what was paused stays paused.",
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
        actions=[crash(f"No heartbeat for {window.total_seconds():g} seconds.")],
    )


def stuck(window: timedelta = STUCK) -> AutomationCore:
    """A flow run that was taken by a worker and never ran has crashed: it sends no heartbeats."""
    return AutomationCore(
        name="collab: stuck",
        description="Marks a flow run Crashed that was taken by a worker and never ran.",
        trigger=EventTrigger(
            after={"prefect.flow-run.Pending"},
            expect={"prefect.flow-run.Running", HEARTBEAT, *ENDS},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=window,
        ),
        actions=[crash(f"It did not begin in {window.total_seconds() / 60:g} minutes.")],
    )


def crash(message: str) -> ChangeFlowRunState:
    """Mark the flow run Crashed, which frees the limit of its deployment."""
    return ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", force=False, message=message)


def overdue(block: UUID, window: timedelta) -> AutomationCore:
    """An edition of a data folder that was published, and not again in a window, is told.

    The window begins anew with each publication, so that it is told on time, and once.
    """
    return AutomationCore(
        name="collab: overdue",
        description="Tells of an edition of which nothing was published for too long.",
        trigger=EventTrigger(
            after={TABLES_PUBLISHED},
            expect={TABLES_PUBLISHED},
            for_each={"prefect.resource.id", DATA_DIR},
            posture=Posture.Proactive,
            threshold=1,
            within=window,
        ),
        actions=[
            SendNotification(
                block_document_id=block,
                subject="collab",
                body=OVERDUE.format(hours=window.total_seconds() / 3600),
            )
        ],
    )


def late(block: UUID, window: timedelta = LATE) -> AutomationCore:
    """A run that is late and not started in a window is told: most often there is no worker."""
    return AutomationCore(
        name="collab: late",
        description="Tells of a run that nothing starts.",
        trigger=EventTrigger(
            after={"prefect.flow-run.Late"},
            expect=STARTS | ENDS,
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=window,
        ),
        actions=[SendNotification(block_document_id=block, subject="collab", body=BODY)],
    )


def notification(block: UUID) -> AutomationCore:
    """Failures go to a notification block."""
    return AutomationCore(
        name="collab: notification",
        description="Tells of failed and crashed runs.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[SendNotification(block_document_id=block, subject="collab", body=BODY)],
    )


def blocked(block: UUID, window: timedelta = BLOCKED) -> AutomationCore:
    """Two runs of a deployment that its limit cancelled are told: perhaps the holder is gone."""
    return AutomationCore(
        name="collab: blocked",
        description="Tells of a deployment whose runs are cancelled by its limit, again and again.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Cancelled"},
            match={
                "prefect.resource.id": "prefect.flow-run.*",
                "prefect.state-message": "*concurrency limit*",
            },
            for_each={"related:deployment:prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=2,
            within=window,
        ),
        actions=[SendNotification(block_document_id=block, subject="collab", body=TWICE)],
    )


def apply_all(hours: float | None, heartbeat: float | None, block: str | None) -> str:
    """Apply every automation; returns what is said of it.

    Raises:
        CollabError: a deployment or the block is not there, or the block cannot notify.
    """
    beat = window("collab: crashed", heartbeat, SECOND, default=90)
    train, publish = map(chain.find_deployment, ("train/train", "publish/publish"))
    wanted = alone(beat, train, publish)
    there = find_block(block)
    if there is not None:
        silence = window("collab: overdue", hours, HOUR, default=192)
        wanted += telling(there.id, silence)
    changed = [each.name.removeprefix("collab: ") for each in wanted if apply(each)]
    told = f"Applied: {', '.join(changed)}." if changed else "All automations are as they were."
    return told if there else f"{told} {why_nobody()}"


def alone(beat: timedelta, train: UUID, publish: UUID) -> list[AutomationCore]:
    """Those that need no block: of runs that are gone, and of the chain."""
    return [crashed(beat), stuck(), chain.train(train), chain.publish(publish)]


def telling(block: UUID, silence: timedelta) -> list[AutomationCore]:
    """Those that tell through a block; `notifications.TELLING` names them."""
    return [notification(block), overdue(block, silence), late(block), blocked(block)]


@app.default
def command(
    *,
    hours: PositiveFloat | None = None,
    heartbeat: PositiveFloat | None = None,
    block: str | None = None,
    test: bool = False,
) -> None:
    """Create the automations, or make those that are there what they should be.

    Args:
        hours: Without a publication of an edition, until that is told; by default as before, at
            first 192.
        heartbeat: Seconds without one, until a flow run is marked Crashed; by default as before, at
            first 90.
        block: Of notifications, TYPE/NAME; by default as before, at first
            slack-webhook/collab-alerts, if it is there.
        test: Only send a notification through the block, to see whether it comes.
    """
    try:
        told = send_test(block) if test else apply_all(hours, heartbeat, block)
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
