"""The deployments of `prefect.yaml`: `python -m deploy.deployments` creates or updates them.

Prefect sets anew all that is declared. Here what an operator changed since it was deployed last
stays: what deploying made is kept in a variable of the server, and compared the next time.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_URL
from prefect.variables import Variable

from collab.base.errors import CollabError
from collab.cli.app import make_app, run
from deploy.place import ROOT

FIELDS = ("description", "tags", "paused", "job_variables", "concurrency_options")
DEPLOY = ("prefect", "--no-prompt", "deploy", "--all")
Told = dict[str, Any]

app = make_app(
    "python -m deploy.deployments",
    "The deployments of prefect.yaml. Deployed again what an operator changed meanwhile stays: "
    "parameters, limits, times, tags, descriptions, and what was paused.",
    "python -m deploy.deployments",
)


def told(deployment: DeploymentResponse) -> Told:
    """What may be set of a deployment, by name; each parameter and each schedule by itself."""
    value = deployment.model_dump(mode="json")
    limit = value["global_concurrency_limit"]
    return {
        **{name: value[name] for name in FIELDS},
        "concurrency_limit": limit["limit"] if limit else None,
        **{f"parameters.{name}": each for name, each in value["parameters"].items()},
        **{f"schedules.{each['slug']}": each["schedule"] for each in value["schedules"]},
    }


def changed(deployed: Told, now: Told) -> Told:
    """What was set since it was deployed; None for what was removed.

    A schedule that was added is none of it: deploying leaves it as it is.
    """
    names = [name for name in {**deployed, **now} if not added_schedule(name, deployed)]
    return {name: now.get(name) for name in names if deployed.get(name) != now.get(name)}


def added_schedule(name: str, deployed: Told) -> bool:
    """Whether something is a schedule that deploying did not make."""
    return name.startswith("schedules.") and name not in deployed


def set_again(client: SyncPrefectClient, deployment: DeploymentResponse, mine: Told) -> None:
    """Set what an operator had set."""
    whole = {name: value for name, value in mine.items() if "." not in name}
    parameters = deployment.parameters | parts("parameters", mine)
    kept = {n: v for n, v in parameters.items() if mine.get(f"parameters.{n}", v) is not None}
    client.update_deployment(deployment.id, DeploymentUpdate(**whole, parameters=kept))
    times = parts("schedules", mine)
    for schedule in deployment.schedules:
        if not schedule.slug or schedule.slug not in times:
            continue
        if (time := times[schedule.slug]) is None:
            client.delete_deployment_schedule(deployment.id, schedule.id)
        else:
            kind = type(schedule.schedule)
            client.update_deployment_schedule(deployment.id, schedule.id, schedule=kind(**time))


def parts(of: str, mine: Told) -> Told:
    """The parameters, or the schedules, of what was set, by their own names."""
    return {n.partition(".")[2]: v for n, v in mine.items() if n.startswith(f"{of}.")}


def remembered(name: str) -> str:
    """The variable that holds what deploying made of a deployment."""
    return f"collab_deployed_{name}"


def of_pool(client: SyncPrefectClient, pool: str) -> list[DeploymentResponse]:
    """The deployments of a work pool."""
    return [each for each in client.read_deployments() if each.work_pool_name == pool]


def deploy_all(pool: str) -> Iterator[str]:
    """Deploy all; yields a line for each deployment of which something was left as it was set.

    Args:
        pool: their work pool; the deployments of other pools are not touched.

    Raises:
        CollabError: Prefect could not.
    """
    with get_client(sync_client=True) as client:
        before = {each.name: told(each) for each in of_pool(client, pool)}
        done = subprocess.run(
            [sys.executable, "-m", *DEPLOY], cwd=ROOT, capture_output=True, text=True
        )
        if done.returncode:
            raise CollabError(f"`{' '.join(DEPLOY)}` failed:\n{done.stdout}{done.stderr}")
        for deployment in of_pool(client, pool):
            name = deployment.name
            deployed: Any = Variable.get(remembered(name))
            Variable.set(remembered(name), told(deployment), overwrite=True)
            if deployed and name in before and (mine := changed(deployed, before[name])):
                set_again(client, deployment, mine)
                yield f"{name} keeps what was set: {', '.join(sorted(mine))}."


@app.default
def command() -> None:
    """Create the deployments, or make those that are there what is declared now."""
    for name in ("COLLAB_HOME", "COLLAB_POOL"):
        if not os.environ.get(name):
            raise CollabError(f"{name} is not set; see the head of prefect.yaml.")
    try:
        kept = list(deploy_all(os.environ["COLLAB_POOL"]))
    except httpx.TransportError as error:
        raise CollabError(
            f"No Prefect server answers at {PREFECT_API_URL.value()}. "
            "Start one with `make serve`, or set PREFECT_API_URL to yours."
        ) from error
    sys.stdout.write("".join(f"{line}\n" for line in kept) or "Deployed as declared.\n")


def main(tokens: Sequence[str] | None = None) -> int:
    """Deploy all; returns the exit code."""
    return run(app, tokens)


if __name__ == "__main__":
    sys.exit(main())
