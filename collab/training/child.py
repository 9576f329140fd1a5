"""The child process of one training run: `python -m collab.training.child < spec.json`.

Writes one JSON object a line to standard output: `{"epoch": ...}` as epochs end, `{"error": ...}`
where the user can mend something (exit code 1).
"""

import json
import signal
import sys
from dataclasses import asdict
from typing import Any

from collab.errors import CollabError
from collab.training.run import RunSpec
from collab.training.train import Progress, train_run


def tell(event: dict[str, Any]) -> None:
    """Write one event for the parent; fails, and so ends the child, once the parent is gone."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def tell_epoch(progress: Progress) -> None:
    """Report an epoch as it ends."""
    tell(asdict(progress))


def main() -> int:
    """Train the run whose spec stands on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides: it ends its children
    request = json.load(sys.stdin)
    try:
        train_run(RunSpec.from_json(request["spec"]), force=request["force"], on_epoch=tell_epoch)
    except CollabError as error:
        tell({"error": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
