"""The Prefect server a flow reports to: looked at before anything waits for it."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_HOME,
    temporary_settings,
)

from collab.base.errors import CollabError
from collab.base.journal import first_line
from collab.base.paths import DataDir

SECONDS = 10.0
log = logging.getLogger("collab.flows")


@contextmanager
def reported(data: DataDir) -> Iterator[None]:
    """Where a flow can be reported to: a server that answers, or one of its own that can start.

    A server of its own keeps its files in `prefect` in the data folder where the home folder cannot
    be written, as in a container that runs as somebody unknown.

    Raises:
        CollabError: no server answers at PREFECT_API_URL, or PREFECT_HOME cannot be written.
    """
    if url := PREFECT_API_URL.value():
        require_answer(url)
        yield
        return
    home = Path(PREFECT_HOME.value())
    error = why_not_writable(home)
    if error is None:
        yield
        return
    if "PREFECT_HOME" in os.environ:
        require_home(home)
    instead = data.root / "prefect"
    log.warning(
        "%s cannot be written (%s): Prefect keeps its files in %s. PREFECT_HOME names another.",
        home, error.strerror, instead,
    )  # fmt: skip
    with temporary_settings({PREFECT_HOME: instead}):
        yield


def require_home(home: Path) -> None:
    """Stop where Prefect's own folder cannot be written; it is made if it is not there.

    Raises:
        CollabError: with the reason.
    """
    if error := why_not_writable(home):
        raise CollabError(
            f"PREFECT_HOME={home} cannot be written ({error.strerror}); set it to another folder."
        )


def require_answer(url: str) -> None:
    """Stop at a server that does not answer.

    Raises:
        CollabError: with the reason.
    """
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client({"timeout": SECONDS}, sync_client=True) as client,
    ):
        error = client.api_healthcheck()
    if error is not None:
        reason = first_line(error).rstrip(".")
        raise CollabError(
            f"No Prefect server answers at PREFECT_API_URL={url} ({reason}). "
            "Start it, or unset PREFECT_API_URL: a flow then starts one of its own."
        )


def why_not_writable(folder: Path) -> OSError | None:
    """Why nothing can be written into a folder, which is made if it is not there; None: it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return error
    return None
