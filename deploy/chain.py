"""The chain of events as automations: new ratings start `train`, its runs start `publish`.

They are no triggers of the deployments, since those are made anew, and active, at each deploying.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.automations import EventTrigger, Posture, RunDeployment
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from collab.base.errors import CollabError
from tasks.events import RATINGS_COMMITTED, RUNS_COMMITTED

ON_RATINGS = ("edition", "fingerprint", "data_dir")
ON_RUNS = (*ON_RATINGS, "run_ids", "left_out")


def train(deployment: UUID) -> AutomationCore:
    """New ratings of an edition are trained on, to be released."""
    name = "collab: train new ratings"
    return started_by(name, RATINGS_COMMITTED, deployment, ON_RATINGS, release=True)


def publish(deployment: UUID) -> AutomationCore:
    """The runs of a release are published."""
    return started_by("collab: publish new runs", RUNS_COMMITTED, deployment, ON_RUNS)


def started_by(
    name: str, event: str, deployment: UUID, passed_on: Sequence[str], **fixed: Any
) -> AutomationCore:
    """A deployment is run for each event, with parts of its payload as parameters."""
    parameters = {part: f"{{{{ event.payload.{part} }}}}" for part in passed_on}
    return AutomationCore(
        name=name,
        description=f"Starts a run for each {event}.",
        trigger=EventTrigger(
            expect={event},
            match={"prefect.resource.id": "collab.*"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[
            RunDeployment(
                source="selected",
                deployment_id=deployment,
                parameters={**parameters, **fixed},
                job_variables=None,
            )
        ],
    )


def find_deployment(name: str) -> UUID:
    """The id of a deployment `flow/name`.

    Raises:
        CollabError: the deployments are not there yet.
    """
    with get_client(sync_client=True) as client:
        try:
            return client.read_deployment_by_name(name).id
        except ObjectNotFound as error:
            raise CollabError(
                f"There is no deployment {name}. Run `python -m deploy.deployments` first."
            ) from error
