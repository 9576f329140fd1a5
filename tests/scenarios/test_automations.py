"""The automations: applied twice they are there once; what they tell, they tell."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from collab.base.paths import DataDir
from deploy.automations import main
from tests.scenarios.conftest import only_data
from tests.scenarios.stack import HEARTBEAT_WINDOW, Stack, wait_for

pytestmark = pytest.mark.slow

NAMES = {"collab: crashed", "collab: overdue", "collab: notification"}


@pytest.fixture
def received() -> Iterator[list[str]]:
    """What is posted to an address of ours; a block of it is saved as `custom-webhook/tests`."""
    posted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            posted.append(json.loads(self.rfile.read(size))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        CustomWebhookNotificationBlock(
            name="tests",
            url=f"http://127.0.0.1:{server.server_port}/",
            json_data={"text": "{{subject}}\n{{body}}"},
            headers=None,
            cookies=None,
        ).save("tests", overwrite=True)
        yield posted
        server.shutdown()


def test_applied_twice_they_are_there_once(stack: Stack, received: list[str]) -> None:
    for _ in range(2):
        assert main(["--block", "custom-webhook/tests", "--heartbeat", str(HEARTBEAT_WINDOW)]) == 0
    with stack.client() as client:
        names = [automation.name for automation in client.read_automations()]
    assert sorted(name for name in names if name.startswith("collab")) == sorted(NAMES)


def test_a_failed_run_is_told_through_the_block(
    stack: Stack, received: list[str], quick: dict[str, Any]
) -> None:
    assert main(["--block", "custom-webhook/tests", "--heartbeat", str(HEARTBEAT_WINDOW)]) == 0
    bad = {**only_data(quick), "archive": "/nowhere.zip"}
    assert stack.wait(stack.run("ingest/ingest", **bad), "Completed", "Failed") == "Failed"
    text = wait_for(lambda: received, 60)[0]  # at least once: the server tries again when in doubt
    assert "ingest 'ml-100k' is Failed" in text
    assert "there is no such file or folder" in text


def test_an_overdue_publication_is_told(stack: Stack, received: list[str], data: DataDir) -> None:
    """No publication in a window of seconds: `watch` runs, logs and says so by an event."""
    options = ["--block", "custom-webhook/tests", "--heartbeat", str(HEARTBEAT_WINDOW)]
    assert main([*options, "--hours", str(12 / 3600)]) == 0
    try:
        text = wait_for(lambda: [t for t in received if "collab.publication.overdue" in t], 180)[0]
    finally:
        assert main(options) == 0
    assert "'hours': 0.003" in text
