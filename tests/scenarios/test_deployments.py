"""The deployments at work: a run by hand, the chain of events, a run while another runs."""

import time
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    WorkPoolUpdate,
)
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import PrefectHTTPStatusError

from collab.base.paths import DataDir
from collab.estimators.recipes import get_recipes
from deploy.deployments import told
from deploy.serve import set_up
from tests.published import query
from tests.scenarios.conftest import TWO, only_data, parameters
from tests.scenarios.stack import Stack, wait_for


def test_the_pipeline_by_hand(stack: Stack, quick: dict[str, Any], data: DataDir) -> None:
    run = stack.run("pipeline/pipeline", **quick)
    assert stack.wait(run, "Completed", "Failed", "Crashed") == "Completed"
    assert query(data, "SELECT variant FROM leaderboard ORDER BY ALL") == [(name,) for name in TWO]
    with stack.client() as client:
        page = client.read_flow_run(run)
        shown = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        )
    assert page.name == "ml-100k, dot_product_bias_wd embedding_nn, seed 42"
    assert set(page.tags) == {"collab", "ml-100k", str(data.root)}
    artifacts = {artifact.key: artifact for artifact in shown}
    assert set(artifacts) == {
        "checks-ml-100k", "leaderboard-ml-100k", "curves-ml-100k", "report-ml-100k",
        "train-dot-product-bias-wd", "train-embedding-nn", "train-bias-only",
    }  # fmt: skip
    assert artifacts["train-embedding-nn"].data == 100
    assert str(artifacts["curves-ml-100k"].data).startswith("data:image/svg+xml;base64,")


def test_a_run_while_another_runs(stack: Stack, large_zip: Path, data: DataDir) -> None:
    """`pipeline` declares CANCEL_NEW: what is asked for while one runs is cancelled."""
    long = parameters(large_zip, data, epochs=20)  # it must still run when the second is looked at
    first = stack.run("pipeline/pipeline", **long)
    stack.wait(first, "Running")
    second = stack.run("pipeline/pipeline", **long)
    assert stack.wait(second, "Cancelled", "Completed", "Failed", seconds=120) == "Cancelled"
    assert stack.wait(first, "Completed", "Failed", "Crashed") == "Completed"


@pytest.mark.slow
def test_what_an_event_asks_for_waits(stack: Stack, quick: dict[str, Any], data: DataDir) -> None:
    """`train` declares ENQUEUE: the second run waits for the first, and both complete."""
    stack.wait(stack.run("ingest/ingest", **only_data(quick)), "Completed")
    wait_for(lambda: stack.states("publish", data) == ["Completed"], 600)
    train = {name: quick[name] for name in ("data_dir", "variants", "epochs", "splits", "device")}
    pair = [stack.run("train/train", **train, seed=seed) for seed in (1, 2)]
    for run in pair:
        assert stack.wait(run, "Completed", "Failed", "Crashed", "Cancelled") == "Completed"
    with stack.client() as client:
        first, second = sorted(
            (client.read_flow_run(run) for run in pair), key=lambda run: str(run.start_time)
        )
    assert first.end_time
    assert second.start_time
    assert first.end_time <= second.start_time


@pytest.mark.slow
def test_new_ratings_are_trained_on_and_published(
    stack: Stack, quick: dict[str, Any], data: DataDir
) -> None:
    """The chain: ingest, by its event train, by its event publish; the same data start nothing."""
    for _ in range(2):
        run = stack.run("ingest/ingest", **only_data(quick))
        assert stack.wait(run, "Completed", "Failed") == "Completed"
        wait_for(lambda: stack.states("publish", data) == ["Completed"], 600)
        assert stack.states("train", data) == ["Completed"]
        assert query(data, "SELECT count(*) FROM leaderboard") == [(len(get_recipes()),)]
        time.sleep(15)  # in which the second time an event would start what it should not
    assert stack.states("train", data) == stack.states("publish", data) == ["Completed"]


@pytest.mark.slow
def test_deploying_again_leaves_what_was_set(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a deployment, its schedules, and the work pool; what was deleted is declared again."""
    with stack.client() as client:
        pipeline = client.read_deployment_by_name("pipeline/pipeline")
        (weekly,) = pipeline.schedules
        second = CronSchedule(cron="0 6 * * 5", timezone="UTC")
        client.create_deployment_schedules(
            pipeline.id, [DeploymentScheduleCreate(schedule=second, slug="second")]
        )
        weekday = CronSchedule(cron="0 5 * * 6", timezone="UTC")
        client.update_deployment_schedule(pipeline.id, weekly.id, schedule=weekday, active=False)
        given = {**pipeline.parameters, "edition": "ml-1m", "memory": 3}
        del given["keep_days"]
        mine = DeploymentUpdate(
            parameters=given, description="mine", tags=["mine"], paused=True, concurrency_limit=3
        )
        client.update_deployment(pipeline.id, mine)
        ingest = client.read_deployment_by_name("ingest/ingest")
        client.delete_deployment_schedule(ingest.id, ingest.schedules[0].id)
        client.update_work_pool("tests", WorkPoolUpdate(concurrency_limit=7))
        before = told(client.read_deployment_by_name("pipeline/pipeline"))
        set_up(stack.place, stack.environment)
        after = client.read_deployment_by_name("pipeline/pipeline")
        pool = client.read_work_pool("tests")
        ingest = client.read_deployment_by_name("ingest/ingest")
        client.delete_deployment(after.id)
        client.delete_deployment(ingest.id)
        client.update_work_pool("tests", WorkPoolUpdate(concurrency_limit=100))
        set_up(stack.place, stack.environment)
        anew = client.read_deployment_by_name("pipeline/pipeline")
    assert told(after) == before
    assert {(s.id, s.active) for s in after.schedules} > {(weekly.id, False)}
    assert ingest.schedules == []
    assert pool.concurrency_limit == 7
    assert "ingest keeps what was set: schedules.nightly.\n" in capsys.readouterr().out
    assert told(anew) == told(pipeline)


@pytest.mark.slow
@pytest.mark.parametrize("given", [{"edition": "ml-1OOk"}, {"variants": ["dot_produkt"]}])
def test_a_wrong_choice_is_refused_before_there_is_a_run(
    stack: Stack, given: dict[str, Any]
) -> None:
    with pytest.raises(PrefectHTTPStatusError, match="409"):
        stack.run("train/train", **given)


@pytest.mark.slow
def test_schedules_make_runs(stack: Stack) -> None:
    """The nightly and the weekly run stand in the calendar."""
    for name in ("ingest", "pipeline"):
        assert wait_for(lambda name=name: stack.scheduled(name), 90) > 0  # type: ignore[misc]
