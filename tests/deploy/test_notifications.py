"""Which blocks alerts can go through, as far as that is told without a server."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock
from uuid import UUID, uuid4

import pytest
from prefect.exceptions import ObjectNotFound

from collab.base.errors import CollabError
from deploy import notifications
from deploy.automations import telling
from deploy.notifications import BLOCK, TELLING, find_block, types_that_notify, why_nobody


def document(slug: str, *capabilities: str) -> Any:
    """A block named `mine`."""
    return SimpleNamespace(
        id=uuid4(),
        name="mine",
        block_type=SimpleNamespace(slug=slug),
        block_schema=SimpleNamespace(capabilities=list(capabilities)),
    )


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """Prefect's client, of a server with a block that can notify and one that cannot."""
    there = {d.block_type.slug: d for d in (document("custom-webhook", "notify"),
                                            document("email-server-credentials"))}  # fmt: skip

    def by_name(name: str, kind: str) -> Any:
        if name != "mine" or kind not in there:
            raise ObjectNotFound(Exception())
        return there[kind]

    client = MagicMock()
    client.__enter__.return_value = client
    client.read_block_document_by_name.side_effect = by_name
    client.read_block_documents.return_value = list(there.values())
    monkeypatch.setattr(notifications, "get_client", lambda sync_client: client)
    monkeypatch.setattr(notifications, "blocks_of", lambda names: [])
    return client


def test_one_that_can_notify_is_found(client: MagicMock) -> None:
    found = client.read_block_document_by_name("mine", "custom-webhook")
    assert find_block("custom-webhook/mine") is found
    assert find_block(None) is None, f"{BLOCK} need not be there"
    assert why_nobody() == f"Nothing is told to anybody: there is no block {BLOCK}."


def test_by_default_it_is_the_one_in_use(
    client: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = document("custom-webhook", "notify")
    gone, there = uuid4(), used.id

    def by_id(block: UUID) -> Any:
        if block == gone:
            raise ObjectNotFound(Exception())
        return used

    client.read_block_document.side_effect = by_id
    monkeypatch.setattr(notifications, "blocks_of", lambda names: [gone, there])
    assert find_block(None) is used
    monkeypatch.setattr(notifications, "blocks_of", lambda names: [gone])
    assert find_block(None) is None
    assert why_nobody().endswith("through is gone; name another with --block.")


def test_those_that_tell_are_those_that_are_asked_for_their_block() -> None:
    made = telling(uuid4(), timedelta(hours=1))
    assert {automation.name for automation in made} == set(TELLING)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("email-server-credentials/mine", "The block email-server-credentials/mine cannot notify."),
        ("custom-webhook/other", "There is no block custom-webhook/other."),
    ],
)
def test_one_that_cannot_is_refused_and_others_are_named(
    client: MagicMock, name: str, said: str
) -> None:
    with pytest.raises(CollabError) as raised:
        find_block(name)
    told = str(raised.value)
    assert told.startswith(f"{said} Blocks there that can: custom-webhook/mine. Types that can: ")


def test_the_types_are_those_of_prefect() -> None:
    assert {"custom-webhook", "slack-webhook", "sendgrid-email"} <= set(types_that_notify())
