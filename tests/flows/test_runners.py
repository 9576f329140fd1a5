"""The choice of a runner, as far as it needs no cluster."""

import inspect
import sys
from types import ModuleType
from typing import Any

import pytest

from collab.base.errors import CollabError
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from flows import runners
from flows.backfill import backfill
from flows.pipeline import pipeline
from flows.runners import on_runner, require_runner
from flows.search import search
from flows.train import train

TRAINING: list[Any] = [pipeline, train, search, backfill]
API = "http://127.0.0.1:9/api"  # where no server is


def test_local_changes_nothing(data: DataDir) -> None:
    with on_runner("local", data):
        assert not data.root.exists()


@pytest.mark.parametrize("flow", TRAINING, ids=lambda flow: flow.name)
def test_it_is_a_choice_of_every_flow_that_trains(
    flow: Any, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the form of a deployment offers it; what cannot be is one line, also in the journal."""
    assert flow.parameters.properties["runner"]["enum"] == ["local", "ray"]
    assert inspect.signature(flow.fn).parameters["runner"].default == "local"
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(CollabError, match="set PREFECT_API_URL"):
        flow.fn(data_dir=str(data.root), runner="ray")
    (entry,) = read_journal(data)
    assert (entry["step"], entry["outcome"]) == (f"flow {flow.name}", "failed")


def test_the_cluster_is_looked_at_once(data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_ray", ModuleType("prefect_ray"))
    looked: list[DataDir] = []
    monkeypatch.setattr(runners, "require_answer", lambda url: None)
    monkeypatch.setattr(runners, "require_cluster", looked.append)
    monkeypatch.setenv("PREFECT_API_URL", API)
    for _ in range(2):
        require_runner("ray", data)
    assert looked == [data]


def test_without_the_extra_it_says_what_to_install(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", API)
    monkeypatch.setitem(sys.modules, "prefect_ray", None)
    with pytest.raises(CollabError, match="install the extra"):
        require_runner("ray", data)
