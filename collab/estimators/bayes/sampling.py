"""A chain that runs: sweeps, what is kept of them, and how it is interrupted and resumed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.bayes.accumulate import Accumulator
from collab.estimators.bayes.moments import Moments
from collab.estimators.bayes.start import Parts, start_chain


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long a chain runs: `sweeps` in all, `burn_in` of them forgotten, a pass each `thin`.

    columns: of the tables that hold the mean of P Q'. leave_out: whether to predict each training
        row as if its rating were not known, which an ordered probit can.
    """

    sweeps: int
    burn_in: int
    thin: int
    columns: int
    leave_out: bool = False

    @property
    def passes(self) -> int:
        """How many passes there are."""
        return (self.sweeps - self.burn_in) // self.thin


class Sampling:
    """A chain over training rows, and the sums over its sweeps."""

    def __init__(self, train: Rows, context: Context, parts: Parts, plan: Plan) -> None:
        """Before the first sweep."""
        self.plan, self.scale = plan, context.scale
        self.chain, self.codes = start_chain(train, context, parts)
        self.found = Accumulator(self.chain, plan.columns, leave_out=plan.leave_out)

    def sweep(self) -> bool:
        """Draw everything once; whether a pass is complete."""
        burning = self.chain.n_sweeps < self.plan.burn_in
        self.chain.sweep(adapt=burning)
        if burning:
            return False
        self.found.add(self.chain)
        if self.found.n % self.plan.thin:
            return False
        self.found.keep(self.chain)
        return True

    def passes(self) -> Iterator[Moments]:
        """The moments after each pass that is left."""
        last = self.plan.burn_in + self.plan.passes * self.plan.thin
        while self.chain.n_sweeps < last:
            if self.sweep():
                yield self.moments()

    def moments(self) -> Moments:
        """The moments so far."""
        return Moments.of(self.found, self.chain, self.codes, self.scale)

    def train_loss(self) -> float:
        """Mean squared error on the training rows in the last sweep, stars squared."""
        stars = self.chain.likelihood.stars(self.chain.scores)
        return float((stars - self.chain.train.ratings).square().mean())

    def n_parameters(self) -> int:
        """Numbers that a sweep draws of users, items and effects."""
        chain = self.chain
        rows = chain.users.rows.numel() + chain.items.rows.numel()
        return rows + sum(len(effect.x) for effect in chain.effects)

    def state(self) -> dict[str, Tensor]:
        """Enough to go on with the same numbers, in tensors."""
        parts: dict[str, Any] = {"chain": self.chain.state(), "found": self.found.state()}
        return {f"{part}/{k}": v for part, state in parts.items() for k, v in state.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave, on the same rows with the same hyperparameters."""
        for part, prefix in ((self.chain, "chain/"), (self.found, "found/")):
            own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            part.restore(own)
