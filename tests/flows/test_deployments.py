"""`prefect.yaml` and the automations, as far as they can be judged without a server."""

import importlib
import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import yaml
from jinja2 import Template
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_schema

from collab.estimators.recipes import ALL, GROUPS, RECIPES
from collab.movielens.editions import EDITIONS
from deploy import chain
from tasks.events import DATA_DIR

ROOT = Path(__file__).parent.parent.parent
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in FILE["deployments"]}


CHAIN = {"train": chain.train, "publish": chain.publish}


def flow_of(deployment: dict[str, Any]) -> Any:
    """The flow that a deployment's entrypoint names."""
    path, name = deployment["entrypoint"].split(":")
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    return getattr(module, name)


def test_which_there_are() -> None:
    by_hand = {"search", "backfill"}
    assert set(DEPLOYMENTS) == {"ingest", "train", "publish", "pipeline"} | by_hand


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_parameter_is_one_of_the_flow(name: str) -> None:
    """Prefect itself accepts an unknown one, and the run fails at night."""
    deployment = DEPLOYMENTS[name]
    known = set(inspect.signature(flow_of(deployment).fn).parameters)
    given = set(deployment["parameters"])
    if name in CHAIN:
        action: Any = CHAIN[name](uuid4()).actions[0]
        given |= set(action.parameters)
    assert given <= known


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_each_declares(name: str) -> None:
    deployment = DEPLOYMENTS[name]
    assert deployment["description"]
    assert "collab" in deployment["tags"]
    assert deployment["work_pool"]["name"] == "{{ $COLLAB_POOL }}"
    assert deployment["work_pool"]["job_variables"]["stream_output"] is False
    limit = deployment["concurrency_limit"]
    assert limit["limit"] == 1
    assert limit["collision_strategy"] in {"ENQUEUE", "CANCEL_NEW"}
    assert limit["grace_period_seconds"] == 60
    assert "triggers" not in deployment, "deploying makes them anew, and active"
    for schedule in deployment.get("schedules", []):
        assert ZoneInfo(schedule["timezone"])
        assert schedule["slug"]
        assert "active" not in schedule, "deploying would start again what was paused"


def test_the_heartbeat_is_awaited_longer_than_it_takes() -> None:
    variables = DEPLOYMENTS["train"]["work_pool"]["job_variables"]["env"]
    from deploy.automations import crashed

    trigger: Any = crashed(timedelta(seconds=90)).trigger
    assert trigger.within >= 2 * timedelta(
        seconds=int(variables["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    )


def test_an_edition_is_overdue_one_window_after_its_last_publication() -> None:
    """Each publication begins its edition's window anew; neither deployment nor worker is asked."""
    from deploy.automations import overdue

    wanted = overdue(uuid4(), timedelta(hours=30))
    trigger: Any = wanted.trigger
    assert trigger.after == trigger.expect == {"collab.tables.published"}
    assert trigger.for_each == {"prefect.resource.id", DATA_DIR}
    assert trigger.within == timedelta(hours=30)
    (action,) = wanted.actions
    assert action.type == "send-notification"
    payload = {"edition": "ml-1m", "data_dir": "/srv/x"}
    told = Template(action.body).render(event={"payload": payload})
    assert told.startswith("Nothing of ml-1m was published for 30 hours:")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_value_is_one_that_the_flow_takes(name: str) -> None:
    """Prefect checks a run's parameters when it begins; here they are checked before."""
    flow = flow_of(DEPLOYMENTS[name])
    assert flow.validate_parameters(DEPLOYMENTS[name]["parameters"])


def test_the_weekly_pipeline_makes_room_and_nothing_else_does() -> None:
    keeping = {
        name: deployment["parameters"].get("keep_days") for name, deployment in DEPLOYMENTS.items()
    }
    assert keeping == {**dict.fromkeys(DEPLOYMENTS), "pipeline": 30}


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_editions_and_variants_are_choices_with_their_defaults(name: str) -> None:
    """The UI's form offers them, and the server refuses others before a run is made."""
    form = parameter_schema(flow_of(DEPLOYMENTS[name])).properties
    assert form["edition"]["enum"] == list(EDITIONS)
    assert form["edition"]["default"] == "ml-100k"
    if "variants" in form:
        several, none = form["variants"]["anyOf"]
        assert set(several["items"]["enum"]) == {*RECIPES, *GROUPS, ALL}
        assert none == {"type": "null"}
    if "protocol" in form:
        assert form["protocol"]["enum"] == [
            "random",
            "u1",
            "u2",
            "u3",
            "u4",
            "u5",
            "ua",
            "ub",
            "temporal",
        ]
        assert form["protocol"]["default"] == "random"


@pytest.mark.parametrize(
    "given", [{"edition": "ml-1OOk"}, {"variants": ["als", "dot"]}, {"protocol": "rand"}]
)
def test_what_is_no_choice_is_refused_before_anything_runs(given: dict[str, Any]) -> None:
    with pytest.raises(ParameterTypeError):
        flow_of(DEPLOYMENTS["train"]).validate_parameters(given)


def test_new_ratings_are_trained_on_for_a_release() -> None:
    """What is trained by hand is not published, so the chain has to ask for it."""
    action: Any = chain.train(uuid4()).actions[0]
    assert action.parameters["release"] is True
    assert DEPLOYMENTS["train"]["parameters"].get("release", False) is False
    assert DEPLOYMENTS["pipeline"]["parameters"]["override"] is False
