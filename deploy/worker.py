"""A worker by itself, as in a container: `python -m deploy.worker --pool collab`.

Prefect's own, when it is asked to end, kills its flow runs without a word: they stay Running until
their heartbeat is missed. This one ends them first, so that they say so.
"""

import os
import sys

from deploy.processes import end, heed_no_more, heed_signals, start

COMMAND = ["prefect", "worker", "start", "--type", "process"]


def main(tokens: list[str]) -> int:
    """Run a worker until it ends or is asked to; returns its exit code, 0 where it was asked.

    Args:
        tokens: further options of `prefect worker start`.
    """
    heed_signals()
    worker = start([*COMMAND, *tokens], None, os.environ)
    try:
        return worker.wait()
    except KeyboardInterrupt:
        heed_no_more()
        return 0
    finally:
        end(worker)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
