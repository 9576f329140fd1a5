"""The child's end of what a training child and its parent say to each other.

The parent writes the request as one line of JSON to the child's standard input and keeps that open
as long as it lives. The child answers on a file descriptor of its own, the first argument of its
command line, one JSON object a line: a progress event for each pass over the data; at the end
`{"trained": ...}`, false where another process had committed the run by then, or `{"error": ...}`
where the user can mend something (exit code 1).
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from collab.base.errors import CollabError

Tell = Callable[[dict[str, Any]], None]


def answer(train: Callable[[dict[str, Any], Tell], bool]) -> NoReturn:
    """Do what the parent asks for, and end this process.

    Args:
        train: given the request and what tells the parent of a progress event; returns whether it
            trained.
    """
    channel = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")

    def tell(event: dict[str, Any]) -> None:
        channel.write(json.dumps(event) + "\n")
        channel.flush()

    request = json.loads(sys.stdin.readline())
    end_with_parent()
    code = 0
    try:
        tell({"trained": train(request, tell)})
    except CollabError as error:
        tell({"error": str(error)})
        code = 1
    sys.stdout.flush()
    os._exit(code)  # the watching thread would make native libraries complain at a plain exit


def end_with_parent() -> None:
    """End this process as soon as standard input closes: a device without a lease is not used."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # a plain read: it holds no lock that an exit would wait for
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
