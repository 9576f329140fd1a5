"""The child process of one training run: `python -m collab.runs.child CHANNEL < request`."""

from dataclasses import asdict
from typing import Any

from collab.base.fingerprint import CodeChangedError
from collab.runs.channel import Tell, answer
from collab.runs.spec import RunSpec
from collab.runs.train import Progress, train_run


def train(request: dict[str, Any], tell: Tell) -> bool:
    """Train the run that is asked for, in this process; returns whether it was trained now."""

    def tell_pass(progress: Progress) -> None:
        tell(asdict(progress))

    spec = RunSpec.from_json(request["spec"])
    if spec.run_id != request["run_id"]:  # the code of this process is newer than its parent's
        raise CodeChangedError("The code changed under this run; start it again.")
    return train_run(spec, force=request["force"], on_pass=tell_pass)


if __name__ == "__main__":
    answer(train)
