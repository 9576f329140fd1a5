"""What a fitted model does, made of posterior moments."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Factors
from collab.estimators.bayes.factors import centred, prior_of, tables_of
from collab.estimators.bayes.moments import Moments
from collab.estimators.fold_in import FoldsIn, Prior


class SampledModel(ABC):
    """A model of posterior moments. A subclass says how a score becomes stars."""

    def __init__(self, moments: Moments, train_loss: float, n_parameters: int) -> None:
        """Hold the moments."""
        self.moments, self.train_loss, self.n_parameters = moments, train_loss, n_parameters

    def score(self, rows: Rows) -> Tensor:
        """Posterior mean of the score (n,), offset included."""
        return self.moments.score(rows) + self.moments.offset

    @abstractmethod
    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,)."""

    @abstractmethod
    def spread(self, rows: Rows) -> Tensor:
        """Standard deviation (n,) of the rating around each prediction, stars."""

    def samples(self) -> Iterator[Factors]:
        """Draws of the rows of users and items, thinned; effects, which are of pairs, left out."""
        for users, items in self.moments.draws:
            draw = Factors(
                mean=self.moments.offset,
                user_factors=users[:, :-1],
                item_factors=items[:, :-1],
                user_bias=users[:, -1],
                item_bias=items[:, -1],
            )
            yield centred(draw, self.moments.tables["user_counts"])

    def save(self, folder: Path) -> None:
        """`model.safetensors` and `model.json`."""
        told = {"train_loss": self.train_loss, "n_parameters": self.n_parameters}
        self.moments.save(folder, told)


def told_of(models: Sequence[SampledModel]) -> tuple[float, int]:
    """Training loss and number of parameters of several chains: the mean, the sum."""
    loss = sum(model.train_loss for model in models) / len(models)
    return loss, sum(model.n_parameters for model in models)


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


class FactorModel(GaussianModel, FoldsIn):
    """A model without time, whose predictions are those of its tables.

    columns: of the tables.
    """

    def __init__(
        self, moments: Moments, train_loss: float, n_parameters: int, columns: int
    ) -> None:
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

    def prior(self) -> Prior:
        """Of a user's row."""
        tables = self.moments.tables
        return prior_of(self.tables, tables["user_counts"], float(tables["variance"]))
