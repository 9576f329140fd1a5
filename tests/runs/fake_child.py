"""A training child that does what its request says, without any training."""

import json
import os
import signal
import sys
import time
from typing import Any

from collab.base.errors import CollabError
from collab.runs.channel import Tell, answer

LARGE = 1 << 20  # bytes that no pipe takes at once


def progress(number: int) -> dict[str, Any]:
    """The event of a pass."""
    valid = {"mse": 1 / number} if number > 1 else None
    return {"number": number, "passes": 2, "train_loss": 0.5, "valid": valid, "seconds": 0.1}


def train(request: dict[str, Any], tell: Tell) -> bool:
    """Tell of two passes, with what the spec asks for in between."""
    does = request["spec"]["does"]
    tell(progress(1))
    match does:
        case "print":
            print(json.dumps({"error": "a library's own words"}))
            os.write(1, b"printed by native code without a line's end")
        case "environment":
            tell({**progress(1), "threads": os.environ["OMP_NUM_THREADS"]})
        case "fail":
            raise CollabError("The loss became NaN in epoch 1.")
        case "raise":
            raise ValueError("a mistake of ours")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            time.sleep(100)
    tell(progress(2))
    return bool(does != "find")


if __name__ == "__main__":
    if os.environ.get("FAKE_CHILD") == "unread":
        os._exit(3)
    print("the fake child starts", file=sys.stderr)
    answer(train)
