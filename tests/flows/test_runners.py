"""The choice of a runner, as far as it needs no cluster."""

import pytest

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from flows.runners import runner_options


def test_local_changes_nothing(data: DataDir) -> None:
    with runner_options("local", data) as options:
        assert options == {}


def test_ray_without_a_server(data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(CollabError, match="set PREFECT_API_URL"), runner_options("ray", data):
        pass
