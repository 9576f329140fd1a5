"""Optuna, asked and told: a tree-structured Parzen estimator (Bergstra et al. 2011).

Trials are asked for in batches of a fixed size and told in their order, whichever ends first, so
that what is asked next depends on neither the clock nor the number of devices. A trial that does
badly ends early: a quarter and half of the way through its passes it has to be among the better
half of what earlier batches showed there (successive halving, Jamieson and Talwalkar 2016, without
waiting for a whole rung as in Li et al. 2020).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collab.base.errors import CollabError
from collab.estimators.space import Span, Values

if TYPE_CHECKING:
    import optuna

RANDOM_FIRST = 16  # trials drawn at random before the estimator has a say
RUNGS = (0.25, 0.5)  # of the passes
KEEP = 0.5  # of those that reach a rung
ENOUGH = 8  # that have reached it

Limits = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Asked:
    """A trial of the study, and its values."""

    trial: "optuna.trial.Trial"
    values: Values


class Study:
    """What was tried of one variant so far."""

    def __init__(self, spans: Mapping[str, Span], first: Values, seed: int) -> None:
        """Begin; `first` is asked for first.

        Raises:
            CollabError: Optuna is not installed.
        """
        optuna = require_optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_FIRST)
        self.study = optuna.create_study(sampler=sampler)
        self.study.enqueue_trial(first)
        self.spans = spans
        self.pruned = optuna.trial.TrialState.PRUNED
        kinds = {True: optuna.distributions.IntDistribution,
                 False: optuna.distributions.FloatDistribution}  # fmt: skip
        self.distributions = {
            name: kinds[span.whole](span.low, span.high, log=span.log)
            for name, span in spans.items()
        }

    def ask(self) -> Asked:
        """The next trial."""
        trial = self.study.ask(fixed_distributions=self.distributions)
        values = {name: self.spans[name].rounded(value) for name, value in trial.params.items()}
        return Asked(trial, values)

    def tell(self, asked: Asked, mse: float, passes: int, errors: Sequence[float]) -> None:
        """What came of a trial.

        Args:
            asked: the trial.
            mse: its error; what is no number says that it went wrong.
            passes: how many it would have made.
            errors: after each pass that it made.
        """
        for rung, fraction in enumerate(RUNGS):
            at = pass_at(fraction, passes)
            if at <= len(errors) and math.isfinite(errors[at - 1]):
                asked.trial.report(errors[at - 1], rung)
        if math.isfinite(mse) and len(errors) == passes:
            self.study.tell(asked.trial, mse)
        else:
            self.study.tell(asked.trial, state=self.pruned)

    def refuse(self, asked: Asked) -> None:
        """Say of a trial that it is not made: to the estimator it is one of the worst."""
        self.study.tell(asked.trial, state=self.pruned)


def require_optuna() -> Any:
    """The package.

    Raises:
        CollabError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise CollabError(
            f"The search needs Optuna ({error}); install the extra: pip install -e '.[search]'"
        ) from error
    return optuna


def pass_at(fraction: float, passes: int) -> int:
    """The pass, from 1, that ends such a part of all."""
    return math.ceil(fraction * passes)


def limits_of(passes: int, seen: Sequence[tuple[int, Sequence[float]]]) -> Limits:
    """What error a trial of so many passes may have at each rung.

    seen: of earlier trials, how many passes each would have made and its error after each it made.
    """
    found = []
    for fraction in RUNGS:
        at = pass_at(fraction, passes)
        ends = [(pass_at(fraction, of), errors) for of, errors in seen]
        there = sorted(errors[end - 1] for end, errors in ends if end <= len(errors))
        if at < passes and len(there) >= ENOUGH:
            found.append((at, there[math.ceil(KEEP * len(there)) - 1]))
    return tuple(found)
