"""Bayesian matrix factorisation with Gaussian noise, and what all sampled models share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Context, Factors, FoldedUser
from collab.estimators.bayes.effects import TASTE
from collab.estimators.bayes.factors import fold_in, tables_of
from collab.estimators.bayes.moments import Moments
from collab.estimators.bayes.sampling import Plan, Sampling
from collab.estimators.bayes.start import Parts


class SampledModel:
    """A model of posterior moments. A subclass says how a score becomes stars.

    effects: names of those that predictions look up by key.
    """

    def __init__(self, moments: Moments, train_loss: float, n_parameters: int) -> None:
        """Hold the moments."""
        self.moments, self.effects = moments, moments.codes.names
        self.train_loss, self.n_parameters = train_loss, n_parameters

    def score(self, rows: Rows) -> Tensor:
        """Posterior mean of the score (n,), offset included."""
        return self.moments.score(rows, self.effects) + self.moments.offset

    def samples(self) -> Iterator[Factors]:
        """Draws of the rows of users and items, thinned; effects, which are of pairs, left out."""
        for users, items in self.moments.draws:
            yield Factors(
                mean=self.moments.offset,
                user_factors=users[:, :-1],
                item_factors=items[:, :-1],
                user_bias=users[:, -1],
                item_bias=items[:, -1],
            )

    def save(self, folder: Path) -> None:
        """`model.safetensors` and `model.json`."""
        self.moments.save(folder, self.record())

    def record(self) -> dict[str, Any]:
        """What the moments do not hold."""
        return {"train_loss": self.train_loss, "n_parameters": self.n_parameters}


class GaussianModel(SampledModel):
    """Scores are stars."""

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,)."""
        return self.score(rows).clamp(*self.moments.scale)

    def spread(self, rows: Rows) -> Tensor:
        """Standard deviation (n,) of the rating: of the score, and of the noise."""
        users, items, tables = rows.users.cpu().long(), rows.items.cpu().long(), self.moments.tables
        noise = tables["variance"] * tables["user_noise"][users] * tables["item_noise"][items]
        return (self.moments.variance(rows) + noise).sqrt()


class FactorModel(GaussianModel):
    """A model without time, whose predictions are those of its tables.

    columns: of the tables.
    """

    def __init__(self, moments: Moments, train_loss: float, n_parameters: int, columns: int) -> None:
        """Hold the moments."""
        super().__init__(moments, train_loss, n_parameters)
        self.columns = columns

    @cached_property
    def tables(self) -> Factors:
        """The tables, made when they are asked for."""
        return tables_of(self.moments, self.columns)

    def factors(self) -> Factors:
        """The tables, float32, on the CPU."""
        return self.tables

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,), of the tables."""
        return self.tables.predict(rows.users.cpu(), rows.items.cpu())

    def fold_in(self, items: Tensor, stars: Tensor) -> FoldedUser:
        """The user who gave `stars` (n,) to `items` (n,)."""
        tables = self.moments.tables
        return fold_in(self.tables, tables["user_counts"], float(tables["variance"]), items, stars)

    def record(self) -> dict[str, Any]:
        """What the moments do not hold."""
        return {**super().record(), "columns": self.columns}


@dataclass(frozen=True, kw_only=True)
class BayesianMF:
    """Gibbs-sampled factors, biases and taste effects with Gaussian noise.

    Implicit history and side information predict the mean of each row's prior. Sources in `entity`,
    `effects` and `likelihood`; see `Parts` and `Plan` for the hyperparameters.
    """

    uses_time: ClassVar[bool] = False
    n_factors: int = 10
    sweeps: int = 200
    burn_in: int = 40
    thin: int = 5
    columns: int = 96
    history: bool = True
    side: bool = True
    effects: tuple[str, ...] = TASTE
    user_noise: float = 0.0
    item_noise: float = 0.0

    @property
    def plan(self) -> Plan:
        """How long a chain runs."""
        return Plan(sweeps=self.sweeps, burn_in=self.burn_in, thin=self.thin, columns=self.columns)

    @property
    def passes(self) -> int:
        """A model for each `thin` sweeps after the burn-in."""
        return self.plan.passes

    def start(self, train: Rows, context: Context) -> Sampling:
        """The chain before its first sweep: it can be saved, resumed and run by hand."""
        parts = Parts(
            n_factors=self.n_factors,
            ordinal=False,
            user_noise=self.user_noise,
            item_noise=self.item_noise,
            history=self.history,
            side=self.side,
            effects=self.effects,
        )
        return Sampling(train, context, parts, self.plan)

    def fit(self, train: Rows, context: Context) -> Iterator[FactorModel]:
        """A model of all sweeps so far, after each pass."""
        yield from self.models(self.start(train, context))

    def models(self, sampling: Sampling) -> Iterator[FactorModel]:
        """The models of a chain, from where it stands."""
        for moments in sampling.passes():
            told = sampling.train_loss(), sampling.n_parameters()
            yield FactorModel(moments, *told, self.columns)

    def load(self, folder: Path) -> FactorModel:
        """The model in a folder."""
        moments, record = Moments.load(folder)
        return FactorModel(moments, record["train_loss"], record["n_parameters"], record["columns"])
