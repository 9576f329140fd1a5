"""Where a flow reports to is looked at before anything waits for it."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from flows.server import reported

UNWRITABLE = Path("/proc/nowhere")  # root may write any folder, but none here


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/api"


def test_a_server_that_does_not_answer(data: DataDir, nobody: str) -> None:
    with (
        temporary_settings({PREFECT_API_URL: nobody}),
        pytest.raises(CollabError) as caught,
        reported(data),
    ):
        pass
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"No Prefect server answers at PREFECT_API_URL={nobody} (")
    assert "unset PREFECT_API_URL" in line


@pytest.mark.usefixtures("prefect")
def test_a_server_that_answers(data: DataDir) -> None:
    before = PREFECT_HOME.value()
    with reported(data):
        assert PREFECT_HOME.value() == before


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No server is named, and Prefect's own folder cannot be written."""
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    with temporary_settings({PREFECT_HOME: UNWRITABLE}, restore_defaults={PREFECT_API_URL}):
        yield


@pytest.mark.usefixtures("no_home")
def test_a_home_that_cannot_be_written(data: DataDir, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "collab.flows"), reported(data):
        assert PREFECT_HOME.value() == data.root / "prefect"
    assert PREFECT_HOME.value() == UNWRITABLE
    (said,) = caplog.messages
    assert f"{UNWRITABLE} cannot be written (" in said
    assert f"Prefect keeps its files in {data.root / 'prefect'}" in said


@pytest.mark.usefixtures("no_home")
def test_a_home_that_was_named_and_cannot_be_written(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(UNWRITABLE))
    said = f"PREFECT_HOME={UNWRITABLE} cannot be written"
    with pytest.raises(CollabError, match=said), reported(data):
        pass
