"""One file over https (or from a file URL): progress, time-outs, retries, resume."""

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from collab.base.errors import CollabError, TransientError

log = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
ATTEMPTS = 4
CHUNK = 1 << 16
# a time-out, a connection that broke or was refused, an answer cut short
PASSING = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


class SourceError(CollabError):
    """One source did not give the file; another may."""


class UnreachableError(SourceError, TransientError):
    """A source that could not be reached, is overloaded or out of order: it may do better later."""


def download(url: str, partial: Path, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Fetch `url` into `partial`, going on where an earlier attempt stopped.

    Args:
        url: http, https or file.
        partial: where the bytes go; what stands there is taken as the file's beginning.
        pause: waits between attempts (1, 2, 4 seconds).

    Raises:
        SourceError: the file is not there, or the address is none.
        UnreachableError: every attempt broke off.
    """
    try:
        if urlsplit(url).scheme == "file":
            copy_file_url(url, partial)
        else:
            fetch_patiently(url, partial, pause)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        kind = UnreachableError if may_pass(error) else SourceError
        raise kind(_reason(error)) from error


def may_pass(error: Exception) -> bool:
    """Whether another attempt may do better."""
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return status >= 500 or status == 429
    return isinstance(error, PASSING)


def fetch_patiently(url: str, partial: Path, pause: Callable[[float], None]) -> None:
    """Fetch, trying again where another attempt may do better."""
    for attempt in range(ATTEMPTS):
        try:
            fetch_rest(url, partial)
            return
        except httpx.HTTPError as error:
            attempts = 2 if isinstance(error, httpx.ConnectError) else ATTEMPTS
            if attempt + 1 >= attempts or not may_pass(error):
                raise
            log.warning("%s: %s; trying again", url, _reason(error))
            pause(2.0**attempt)


def _reason(error: Exception) -> str:
    """What went wrong, never empty."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    return str(error).split("\n")[0] or type(error).__name__


def copy_file_url(url: str, partial: Path) -> None:
    """Copy the file that a file URL names."""
    source = Path(unquote(urlsplit(url).path))
    try:
        shutil.copyfile(source, partial)
    except OSError as error:
        raise SourceError(error.strerror) from error


def fetch_rest(url: str, partial: Path) -> None:
    """One attempt: ask for the bytes not yet there and append them."""
    start = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # the bytes are kept as they are sent
    if start:
        headers["Range"] = f"bytes={start}-"
    with (
        httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code == 416:  # nothing is left, or the file is another one now
            if answer.headers.get("content-range") == f"bytes */{start}":
                return
            partial.unlink()
            raise httpx.ReadError("the partial file does not fit; starting anew")
        answer.raise_for_status()
        if url.startswith("https:") and answer.url.scheme != "https":
            raise SourceError(f"it was redirected to {answer.url}, which is not https")
        resumed = answer.status_code == 206
        write_chunks(answer, partial, start if resumed else 0)


def write_chunks(answer: httpx.Response, partial: Path, start: int) -> None:
    """Append a response's bytes after the first `start`, under a progress bar on a terminal."""
    length = answer.headers.get("content-length")
    with (
        progress_bar() as progress,
        partial.open("r+b" if start else "wb") as file,
    ):
        file.seek(start)
        bar = progress.add_task(
            Path(answer.url.path).name,
            total=start + int(length) if length else None,
            completed=start,
        )
        for chunk in answer.iter_raw(CHUNK):
            file.write(chunk)
            progress.advance(bar, len(chunk))
    if length and partial.stat().st_size != start + int(length):
        raise httpx.ReadError("the connection closed early")


def progress_bar() -> Progress:
    """Name, bar, size, speed and time left on standard error; silent where that is no terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
