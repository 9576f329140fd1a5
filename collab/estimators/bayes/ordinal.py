"""Ordered probit: the same scores, but ratings are classes between cut points."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.bayes.effects import SESSION, TASTE
from collab.estimators.bayes.likelihood import class_probabilities
from collab.estimators.bayes.models import SampledModel, told_of
from collab.estimators.bayes.moments import Moments, merge
from collab.estimators.bayes.sampling import Sampling
from collab.estimators.bayes.settings import Sampled


class OrdinalModel(SampledModel):
    """Class probabilities; stars are their mean. Its tables are not those of its predictions."""

    @property
    def levels(self) -> Tensor:
        """The ratings there are, ascending, (c,)."""
        return self.moments.tables["levels"]

    def probabilities(self, rows: Rows) -> Tensor:
        """Of each level (n, c): the score's posterior, taken as normal, is integrated out."""
        spread = (1 + self.moments.variance(rows)).sqrt()
        cuts = self.moments.tables["cuts"]
        if cuts.dim() == 2:  # each user has his own
            cuts = cuts.index_select(0, rows.users.cpu())
        return class_probabilities(self.score(rows), cuts, spread)

    def predict(self, rows: Rows) -> Tensor:
        """Expected stars (n,)."""
        return self.probabilities(rows) @ self.levels

    def spread(self, rows: Rows) -> Tensor:
        """Standard deviation (n,) of the rating."""
        mass = self.probabilities(rows)
        return (mass @ self.levels.square() - (mass @ self.levels).square()).clamp(min=0).sqrt()


@dataclass(frozen=True, kw_only=True)
class BayesianOrdinal(Sampled[OrdinalModel]):
    """Gibbs-sampled ordered probit with taste effects.

    user_cuts: whether each user has cut points of his own.
    """

    user_cuts: bool = False

    def start(self, train: Rows, context: Context) -> Sampling:
        """The chain before its first sweep, to be run, saved or resumed by hand."""
        return self.chain(train, context, self.parts(ordinal=True, user_cuts=self.user_cuts))

    def sample(self, train: Rows, context: Context) -> Iterator[OrdinalModel]:
        """A model of all sweeps so far, after each pass."""
        yield from self.models(self.start(train, context))

    def merge(self, models: Sequence[OrdinalModel]) -> OrdinalModel:
        """The model of several chains on the same rows."""
        moments = merge([model.moments for model in models], self.columns)
        return OrdinalModel(moments, *told_of(models))

    def models(self, sampling: Sampling) -> Iterator[OrdinalModel]:
        """The models of a chain, from where it stands."""
        for moments in sampling.passes():
            yield OrdinalModel(moments, sampling.train_loss(), sampling.n_parameters())

    def load(self, folder: Path) -> OrdinalModel:
        """The model in a folder."""
        moments, record = Moments.load(folder)
        return OrdinalModel(moments, record["train_loss"], record["n_parameters"])


@dataclass(frozen=True, kw_only=True)
class BayesianTime(BayesianOrdinal):
    """The same with effects of a user's session, from second to day, and of the week."""

    uses_time: ClassVar[bool] = True
    effects: tuple[str, ...] = (*TASTE, *SESSION)
