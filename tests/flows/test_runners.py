"""The choice of a runner, as far as it needs no cluster."""

import pytest

from collab.base.errors import CollabError
from flows.runners import runner_options


def test_local_changes_nothing() -> None:
    with runner_options("local") as options:
        assert options == {}


def test_ray_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(CollabError, match="set PREFECT_API_URL"), runner_options("ray"):
        pass
