"""The child process of one training run: `python -m collab.runs.child CHANNEL < request`."""

from typing import Any

from collab.runs.channel import Tell, answer
from collab.runs.run import RunSpec
from collab.runs.train import train_run


def train(request: dict[str, Any], tell: Tell) -> bool:
    """Train the run that is asked for, in this process; returns whether it was trained now."""
    spec = RunSpec.from_json(request["spec"])
    return train_run(spec, force=request["force"], on_pass=tell)


if __name__ == "__main__":
    answer(train)
