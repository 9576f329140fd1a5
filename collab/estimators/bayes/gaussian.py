"""Bayesian matrix factorisation with Gaussian noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.bayes.models import FactorModel, told_of
from collab.estimators.bayes.moments import Moments, merge
from collab.estimators.bayes.sampling import Sampling
from collab.estimators.bayes.settings import Sampled
from collab.estimators.space import Span


@dataclass(frozen=True, kw_only=True)
class BayesianMF(Sampled[FactorModel]):
    """Gibbs-sampled factors, biases and taste effects; its predictions are those of its tables.

    user_noise, item_noise: degrees of freedom of the noise of each user and each item; 0: the same
        noise everywhere.
    """

    explains: ClassVar[bool] = True
    effort: ClassVar[float] = 1.0
    user_noise: Annotated[float, Span(low=3.0, high=50.0, log=True)] = 8.0
    item_noise: Annotated[float, Span(low=3.0, high=50.0, log=True)] = 20.0

    def start(self, train: Rows, context: Context) -> Sampling:
        """The chain before its first sweep, to be run, saved or resumed by hand."""
        noise = (self.user_noise, self.item_noise)
        return self.chain(train, context, self.parts(ordinal=False, noise=noise))

    def sample(self, train: Rows, context: Context) -> Iterator[FactorModel]:
        """A model of all sweeps so far, after each pass."""
        yield from self.models(self.start(train, context))

    def merge(self, models: Sequence[FactorModel]) -> FactorModel:
        """The model of several chains on the same rows."""
        moments = merge([model.moments for model in models], self.columns)
        return FactorModel(moments, *told_of(models), self.columns)

    def models(self, sampling: Sampling) -> Iterator[FactorModel]:
        """The models of a chain, from where it stands."""
        for moments in sampling.passes():
            told = sampling.train_loss(), sampling.n_parameters()
            yield FactorModel(moments, *told, self.columns)

    def load(self, folder: Path) -> FactorModel:
        """The model in a folder."""
        moments, record = Moments.load(folder)
        return FactorModel(moments, record["train_loss"], record["n_parameters"], self.columns)
