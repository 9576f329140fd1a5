"""The automations: applied again nothing changes; what they tell, they tell."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from prefect.blocks.core import Block
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.events import emit_event
from prefect.events.schemas.automations import Automation

from deploy.applying import apply
from deploy.automations import late, main
from deploy.notifications import find_block
from deploy.processes import end
from deploy.serve import set_up
from tasks.events import DATA_DIR, TABLES_PUBLISHED
from tests.scenarios.conftest import only_data
from tests.scenarios.stack import HEARTBEAT_WINDOW, Stack, wait_for

pytestmark = pytest.mark.slow

CHAIN = {"collab: train new ratings", "collab: publish new runs"}
TELLING = {"collab: overdue", "collab: late", "collab: blocked", "collab: notification"}
NAMES = {"collab: crashed", "collab: stuck", *CHAIN, *TELLING}


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


def there(stack: Stack) -> dict[str, Automation]:
    """The automations of ours, by name; each is there once."""
    with stack.client() as client:
        found = [each for each in client.read_automations() if each.name.startswith("collab")]
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def test_applied_again_nothing_changes_and_what_was_set_stays(
    stack: Stack, received: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A new trigger id would forget what a trigger waits for."""
    options = ["--block", "custom-webhook/tests", "--heartbeat", str(HEARTBEAT_WINDOW)]
    assert main([*options, "--hours", "30"]) == 0
    with stack.client() as client:
        client.pause_automation(there(stack)["collab: train new ratings"].id)
    before = there(stack)
    assert set(before) == NAMES
    capsys.readouterr()
    set_up(stack.place, stack.environment)
    assert main([]) == 0
    same = "All automations are as they were.\n"
    assert capsys.readouterr().out == f"Deployed as declared.\n{same}{same}"
    assert there(stack) == before
    overdue: Any = before["collab: overdue"].trigger
    assert overdue.within == timedelta(hours=30)
    assert not before["collab: train new ratings"].enabled
    with stack.client() as client:
        client.resume_automation(before["collab: train new ratings"].id)
    assert main(["--hours", "192"]) == 0
    assert capsys.readouterr().out == "Applied: overdue.\n"
    after = there(stack)
    changed = [name for name in NAMES if after[name].trigger != before[name].trigger]
    assert changed == ["collab: overdue"]


def test_a_block_that_is_deleted_is_missed(
    stack: Stack, received: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And an automation that is deleted is made again, with the block of the others."""
    assert main(["--block", "custom-webhook/tests"]) == 0
    with stack.client() as client:
        client.delete_automation(there(stack)["collab: notification"].id)
    capsys.readouterr()
    assert main([]) == 0
    assert capsys.readouterr().out == "Applied: notification.\n"
    with stack.client() as client:
        block = client.read_block_document_by_name("tests", "custom-webhook")
        client.delete_block_document(block.id)
    assert main([]) == 0
    assert "Nothing is told to anybody: the block that it was told" in capsys.readouterr().out
    assert main(["--test"]) == 1
    assert "is gone; name another with --block." in capsys.readouterr().err


def test_two_runs_cancelled_by_the_limit_are_told(
    stack: Stack, received: list[str], long: dict[str, Any]
) -> None:
    assert main(["--block", "custom-webhook/tests"]) == 0
    first = stack.run("pipeline/pipeline", **{**long, "epochs": 60})
    stack.wait(first, "Running")
    for _ in range(2):
        assert not [text for text in received if "by its limit" in text]
        run = stack.run("pipeline/pipeline", **long)
        assert stack.wait(run, "Cancelled", "Completed", "Failed", seconds=120) == "Cancelled"
    text = wait_for(lambda: [t for t in received if "by its limit" in t], 60)[0]
    assert "Two runs of pipeline were cancelled" in text
    assert stack.wait(first, "Completed", "Failed", "Crashed") == "Completed"


def test_a_failed_run_is_told_through_the_block(
    stack: Stack, received: list[str], quick: dict[str, Any]
) -> None:
    assert main(["--block", "custom-webhook/tests", "--heartbeat", str(HEARTBEAT_WINDOW)]) == 0
    bad = {**only_data(quick), "archive": "/nowhere.zip"}
    assert stack.wait(stack.run("ingest/ingest", **bad), "Completed", "Failed") == "Failed"
    text = wait_for(lambda: received, 60)[0]  # at least once: the server tries again when in doubt
    assert "ingest 'ml-100k' is Failed" in text
    assert "there is no such file or folder" in text


def test_an_overdue_publication_is_told(stack: Stack, received: list[str]) -> None:
    """Of each edition and data folder by itself, in seconds; nothing but the server is needed."""
    options = ["--block", "custom-webhook/tests", "--heartbeat", str(HEARTBEAT_WINDOW)]
    assert main([*options, "--hours", str(12 / 3600)]) == 0
    end(stack.worker)
    published = [("ml-1m", "/srv/x"), ("ml-1m", "/srv/y"), ("ml-10m", "/srv/x")]

    def is_told(edition: str, folder: str) -> bool:
        parts = (f"Nothing of {edition} was published for 0.003", f"in {folder}.")
        return any(all(part in text for part in parts) for text in received)

    try:
        for edition, folder in published:
            emit_event(
                event=TABLES_PUBLISHED,
                resource={"prefect.resource.id": f"collab.tables.{edition}", DATA_DIR: folder},
                payload={"edition": edition, "data_dir": folder},
            )
        wait_for(lambda: all(is_told(*each) for each in published), 180)
    finally:
        assert main([*options, "--hours", "192"]) == 0


def test_a_run_that_nothing_starts_is_told(
    stack: Stack, received: list[str], quick: dict[str, Any]
) -> None:
    """Without a worker a run is Late, and told with a link where it has not begun in a window."""
    end(stack.worker)
    block = find_block("custom-webhook/tests")
    assert block
    apply(late(block.id, timedelta(seconds=10)))
    run = stack.run("ingest/ingest", **only_data(quick))
    text = wait_for(lambda: [t for t in received if "is Late" in t], 180)[0]
    assert f"{stack.place.ui}/runs/flow-run/{run}" in text
    apply(late(block.id))
    stack.start_worker()
    assert stack.wait(run, "Completed", "Failed") == "Completed"


class EmailServer(Block):
    """A block that holds what a mail server wants to know, and sends nothing."""

    _block_type_slug = "email-server-credentials"


def test_a_block_that_cannot_notify_is_refused(
    stack: Stack, received: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    EmailServer().save("tests", overwrite=True)
    for options in ([], ["--test"]):
        assert main(["--block", "email-server-credentials/tests", *options]) == 1
        told = capsys.readouterr().err
        assert "The block email-server-credentials/tests cannot notify." in told
        assert "Blocks there that can: custom-webhook/tests." in told
        assert "slack-webhook, twilio-sms" in told
    assert main(["--block", "custom-webhook/nobody"]) == 1
    assert "There is no block custom-webhook/nobody." in capsys.readouterr().err
    assert received == []


def test_a_test_is_sent_and_what_stops_it_is_said(
    stack: Stack, received: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--block", "custom-webhook/tests", "--test"]) == 0
    assert capsys.readouterr().out == "Sent a test through custom-webhook/tests.\n"
    assert received == ["collab\nA test: alerts of collab come this way."]
    assert main(["--block", "custom-webhook/tests"]) == main(["--test"]) == 0
    assert len(received) == 2, "by default through the block in use"
    CustomWebhookNotificationBlock(
        name="deaf", url="http://127.0.0.1:9/", json_data={}, headers=None, cookies=None
    ).save("deaf", overwrite=True)
    assert main(["--block", "custom-webhook/deaf", "--test"]) == 1
    assert "error: The block custom-webhook/deaf could not send" in capsys.readouterr().err
