"""Downloads over a server of the test's own on 127.0.0.1."""

import gzip
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from collab.base.errors import TransientError
from collab.movielens.download import SourceError, download

CONTENT = bytes(range(256)) * 2000


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; can fail first, break off, or ignore the range.

    Compresses for whoever takes gzip; sends `/loop` to itself.
    """

    failures: ClassVar[list[int]] = []
    break_at: ClassVar[list[int]] = []
    ranges: ClassVar[list[str | None]] = []
    honours_ranges: ClassVar[bool] = True

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.ranges.append(wanted)
        if self.failures:
            self.send_error(self.failures.pop(0))
            return
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
            return
        start = int(wanted[6:-1]) if wanted and self.honours_ranges else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.break_at.pop(0)] if self.break_at else body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a fresh server."""
    Handler.failures, Handler.break_at, Handler.ranges = [], [], []
    Handler.honours_ranges = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ml-1m.zip"
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(url: str, partial: Path) -> list[float]:
    """Download; returns the pauses made."""
    pauses: list[float] = []
    download(url, partial, pause=pauses.append)
    return pauses


def test_the_whole_file_arrives(url: str, tmp_path: Path) -> None:
    assert fetch(url, tmp_path / "p") == []
    assert (tmp_path / "p").read_bytes() == CONTENT


def test_a_partial_file_is_resumed(url: str, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(CONTENT[:1000])
    fetch(url, tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == CONTENT
    assert Handler.ranges == ["bytes=1000-"]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(url: str, tmp_path: Path) -> None:
    Handler.break_at = [131_072]
    assert fetch(url, tmp_path / "p") == [1.0]
    assert (tmp_path / "p").read_bytes() == CONTENT
    assert Handler.ranges == [None, "bytes=131072-"]


def test_a_server_without_ranges_starts_anew(url: str, tmp_path: Path) -> None:
    Handler.honours_ranges = False
    (tmp_path / "p").write_bytes(b"old")
    fetch(url, tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == CONTENT


def test_a_file_already_whole_is_left(url: str, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(CONTENT)
    fetch(url, tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == CONTENT


def test_a_partial_file_that_is_too_long_is_replaced(url: str, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(CONTENT + b"more")
    fetch(url, tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == CONTENT


def test_server_errors_are_retried_with_growing_pauses(url: str, tmp_path: Path) -> None:
    Handler.failures = [503, 500, 429]
    assert fetch(url, tmp_path / "p") == [1.0, 2.0, 4.0]
    assert (tmp_path / "p").read_bytes() == CONTENT


def test_a_missing_file_is_not_asked_for_again(url: str, tmp_path: Path) -> None:
    Handler.failures = [404, 404]
    with pytest.raises(SourceError, match="answered 404") as caught:
        fetch(url, tmp_path / "p")
    assert len(Handler.ranges) == 1
    assert not isinstance(caught.value, TransientError)


def test_it_gives_up_after_four_attempts(url: str, tmp_path: Path) -> None:
    Handler.failures = [500] * 9
    with pytest.raises(SourceError, match="500"):
        fetch(url, tmp_path / "p")
    assert len(Handler.ranges) == 4


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_may_do_better_later_is_a_failure_that_may_pass(
    url: str, tmp_path: Path, status: int
) -> None:
    Handler.failures = [status] * 4
    with pytest.raises(TransientError, match=f"answered {status}"):
        fetch(url, tmp_path / "p")


def test_a_connection_that_always_breaks_may_pass(url: str, tmp_path: Path) -> None:
    Handler.break_at = [65_536] * 4
    with pytest.raises(TransientError):
        fetch(url, tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == CONTENT[:262_144]  # kept for the next attempt


def test_an_answer_that_does_not_come_may_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collab.movielens.download.TIMEOUT", httpx.Timeout(0.1))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.zip"
        with pytest.raises(TransientError, match="timed out"):
            fetch(url, tmp_path / "p")


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="refused"):
        fetch("http://127.0.0.1:9/x.zip", tmp_path / "p")


def test_a_server_that_redirects_forever_is_given_up(url: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="redirects") as caught:
        fetch(url.replace("/ml-1m.zip", "/loop"), tmp_path / "p")
    assert not isinstance(caught.value, TransientError)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://127.0.0.1/x.zip", "unsupported protocol"),
        ("127.0.0.1/x.zip", "missing an 'http://'"),
        ("http://127.0.0.1:port/x.zip", "port"),
        ("http://[::1/x.zip", "IPv6"),
        ("file:///a%00b.zip", "null byte"),
    ],
)
def test_an_address_that_is_none_is_said_at_once(
    tmp_path: Path, address: str, message: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        download(address, tmp_path / "p", pause=lambda seconds: pytest.fail("it was tried again"))
    assert not isinstance(caught.value, TransientError)


def test_a_file_url_is_copied(tmp_path: Path) -> None:
    (tmp_path / "a b.zip").write_bytes(CONTENT)
    fetch((tmp_path / "a b.zip").as_uri(), tmp_path / "p")
    assert (tmp_path / "p").read_bytes() == CONTENT
    with pytest.raises(SourceError, match="No such file") as caught:
        fetch((tmp_path / "none.zip").as_uri(), tmp_path / "p")
    assert not isinstance(caught.value, TransientError)
