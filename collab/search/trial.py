"""One trial: an ordinary run on an inner split, committed by its key."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import pandas as pd

from collab.base.errors import CollabError
from collab.base.files import write_atomically
from collab.evaluation.judged import judge
from collab.runs.record import Run
from collab.runs.spec import RunSpec
from collab.runs.stop import STOP

START = 2.0  # seconds of a child, which imports torch

Train = Callable[[list[RunSpec]], list[Run | str]]  # in order; why, where one could not be trained


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial before it is made.

    number: from 0, which is the present recipe.
    values: of what is searched.
    seconds: what it is estimated to cost if it is not ended early, the start of its child included.
    """

    number: int
    values: dict[str, Any]
    spec: RunSpec
    seconds: float

    @property
    def passes(self) -> int:
        """How many it makes if it is not ended early."""
        return self.spec.recipe.estimator.passes


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A trial that was made.

    mse: on the judged rows; infinite where it went wrong.
    errors: validation MSE after each pass.
    reason: why it went wrong.
    """

    trial: Trial
    mse: float
    errors: tuple[float, ...] = ()
    reason: str | None = None

    @property
    def complete(self) -> bool:
        """Whether it made all its passes."""
        return len(self.errors) == self.trial.passes

    @property
    def seconds(self) -> float:
        """What it is estimated to have cost; all of it where it went wrong."""
        done = len(self.errors) / self.trial.passes if self.errors else 1.0
        return START + (self.trial.seconds - START) * done


def tried(trial: Trial, result: Run | str) -> Tried:
    """What came of a trial."""
    if isinstance(result, str):
        return Tried(trial=trial, mse=inf, reason=result)
    mse = judge(result).mse
    return Tried(trial=trial, mse=mse if isfinite(mse) else inf, errors=errors_of(result))


def errors_of(run: Run) -> tuple[float, ...]:
    """Validation MSE after each pass; infinite where it is no number."""
    table = pd.read_parquet(run.folder / "metrics.parquet")
    chosen = table[(table["split"] == "valid") & (table["metric"] == "mse")]
    return tuple(chosen.sort_values("epoch")["value"].fillna(inf).tolist())


def run_or_reason(spec: RunSpec, train: Callable[[RunSpec], Run]) -> Run | str:
    """Train a run, or say why it could not be trained; the reason is kept like a run.

    Raises:
        CollabError: training was interrupted.
    """
    kept = spec.runs / f"{spec.run_id}.failed"
    if kept.exists():
        return kept.read_text(encoding="utf-8")
    try:
        return train(spec)
    except CollabError as error:
        STOP.refuse()
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, str(error))
        return str(error)
