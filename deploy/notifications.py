"""The block that alerts go through: found, refused where it cannot notify, and tried."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from prefect.blocks import notifications
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound

from collab.base.errors import CollabError
from deploy.applying import blocks_of

BLOCK = "slack-webhook/collab-alerts"
TELLING = ("collab: notification", "collab: overdue", "collab: late", "collab: blocked")
NOTIFY = "notify"  # the capability that the server asks for before it sends


def find_block(given: str | None) -> BlockDocument | None:
    """The block named `type/name`; by default the one in use, else `BLOCK`.

    Returns:
        The block; None where none was named and neither is there.

    Raises:
        CollabError: there is no such block, or it is one that cannot notify.
    """
    kind, _, name = (given or BLOCK).partition("/")
    with get_client(sync_client=True) as client:
        if given is None and (used := in_use(client)):
            return used
        try:
            document = client.read_block_document_by_name(name, kind)
        except ObjectNotFound as error:
            if given is None:
                return None
            raise CollabError(
                f"There is no block {given}. {able(client.read_block_documents())}"
            ) from error
        if not can_notify(document):
            raise CollabError(
                f"The block {kind}/{name} cannot notify. {able(client.read_block_documents())}"
            )
    return document


def in_use(client: SyncPrefectClient) -> BlockDocument | None:
    """The block that the automations tell through, unless it was deleted under them."""
    for block in blocks_of(TELLING):
        with suppress(ObjectNotFound):
            return client.read_block_document(block)
    return None


def why_nobody() -> str:
    """Why nothing is told, and what to do."""
    if blocks_of(TELLING):
        reason = "the block that it was told through is gone; name another with --block"
    else:
        reason = f"there is no block {BLOCK}"
    return f"Nothing is told to anybody: {reason}."


def can_notify(document: BlockDocument) -> bool:
    """Whether the server can send through a block."""
    schema = document.block_schema
    return schema is not None and NOTIFY in schema.capabilities


def able(documents: Iterable[BlockDocument]) -> str:
    """Which blocks can notify: those that are there, and of which types one may be made."""
    there = sorted(
        f"{document.block_type.slug}/{document.name}"
        for document in documents
        if can_notify(document) and document.block_type
    )
    return (
        f"Blocks there that can: {', '.join(there) or 'none'}. "
        f"Types that can: {', '.join(types_that_notify())}; "
        "make one in the UI under Blocks, or take custom-webhook for whatever has an address."
    )


def types_that_notify() -> list[str]:
    """The types of Prefect's own blocks that can notify."""
    kinds: list[Any] = [getattr(notifications, name) for name in dir(notifications)]
    return sorted(
        kind.get_block_type_slug()
        for kind in kinds
        if isinstance(kind, type)
        and issubclass(kind, NotificationBlock)
        and kind.__module__ == notifications.__name__
        and "_block_type_name" in vars(kind)
        and "Abstract" not in kind.__name__
    )


def send_test(given: str | None) -> str:
    """Send one notification now, from here; returns what is said of it.

    Raises:
        CollabError: there is no block, or it could not send.
    """
    document = find_block(given)
    if document is None or document.block_type is None:
        raise CollabError(f"{why_nobody()} Make a block in the UI under Blocks.")
    name = f"{document.block_type.slug}/{document.name}"
    block: Any = Block.load(name)
    try:
        with block.raise_on_failure():
            block.notify(subject="collab", body="A test: alerts of collab come this way.")
    except Exception as error:  # of whatever the block is made of
        raise CollabError(f"The block {name} could not send: {error!r}") from error
    return f"Sent a test through {name}."
