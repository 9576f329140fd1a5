"""The child process of one training run: `python -m collab.runs.child < spec.json`.

Writes one JSON object a line to standard output: `{"epoch": ...}` as epochs end, `{"trained": ...}`
at the end (false where another process had committed the run by then), `{"error": ...}` where the
user can mend something (exit code 1). Ends with its parent, however that ends: standard
input stays open as long as the parent lives.
"""

import json
import os
import sys
import threading
from dataclasses import asdict
from typing import Any

from collab.base.errors import CollabError
from collab.runs.run import RunSpec
from collab.runs.train import Progress, train_run


def end_with_parent() -> None:
    """End this process as soon as standard input closes: a device without a lease is not used."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # a plain read: it holds no lock that an exit would wait for
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def tell(event: dict[str, Any]) -> None:
    """Write one event for the parent."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def tell_epoch(progress: Progress) -> None:
    """Report an epoch as it ends."""
    tell(asdict(progress))


def main() -> int:
    """Train the run whose spec is the first line of standard input."""
    request = json.loads(sys.stdin.readline())
    end_with_parent()
    try:
        spec = RunSpec.from_json(request["spec"])
        tell({"trained": train_run(spec, force=request["force"], on_epoch=tell_epoch)})
    except CollabError as error:
        tell({"error": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the watching thread would make native libraries complain at a plain exit
