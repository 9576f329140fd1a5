"""Two chains averaged, an ordered probit and a Gaussian, and trees on what they leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Context, Factors
from collab.estimators.bayes.block import Array
from collab.estimators.bayes.effects import SESSION, TASTE
from collab.estimators.bayes.models import GaussianModel, told_of
from collab.estimators.bayes.moments import Moments, merge
from collab.estimators.bayes.neighbors import Neighbors
from collab.estimators.bayes.ordinal import OrdinalModel
from collab.estimators.bayes.sampling import Sampling
from collab.estimators.bayes.settings import Sampled
from collab.estimators.bayes.stage2 import Boosting, Trees, boosting_regressor
from collab.estimators.space import Span


@dataclass(frozen=True)
class Stage2:
    """Trees, and the training rows that their features are made of; time: whether of time too."""

    trees: Trees
    neighbors: Neighbors
    time: bool

    def correction(self, rows: Rows, first: Tensor) -> Tensor:
        """Stars (n,) to add to the chains'; first (n,): what the probit predicts."""
        if not len(rows):
            return torch.zeros(0)
        return self.trees.predict(with_first(self.neighbors, rows, first, time=self.time))

    def save(self, folder: Path) -> None:
        """`stage2.safetensors`."""
        tables = {f"tree.{name}": table for name, table in self.trees.tables.items()}
        arrays = self.neighbors.arrays.items()
        tables |= {f"row.{name}": torch.from_numpy(array) for name, array in arrays}
        tables["time"] = torch.tensor([self.time])
        contiguous = {name: table.contiguous() for name, table in tables.items()}
        save_file(contiguous, folder / "stage2.safetensors")

    @classmethod
    def load(cls, folder: Path) -> "Stage2":
        """What `save` wrote."""
        tables = load_file(folder / "stage2.safetensors")
        split = {
            kind: {k.removeprefix(kind): v for k, v in tables.items() if k.startswith(kind)}
            for kind in ("tree.", "row.")
        }
        arrays = {name: table.numpy() for name, table in split["row."].items()}
        return cls(Trees(split["tree."]), Neighbors(arrays=arrays), bool(tables["time"]))


class PairModel:
    """The mean of the two models, corrected by the trees once they are grown."""

    # its trees ask for every other rating of the user and of the item
    slow_to_list: ClassVar[bool] = True

    def __init__(
        self,
        probit: OrdinalModel,
        gaussian: GaussianModel,
        stage2: Stage2 | None,
        train_loss: float,
    ) -> None:
        """Hold the parts."""
        self.probit, self.gaussian, self.stage2 = probit, gaussian, stage2
        self.train_loss = train_loss
        self.n_parameters = probit.n_parameters + gaussian.n_parameters

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,)."""
        first = self.probit.predict(rows)
        stars = (first + self.gaussian.predict(rows)) / 2
        if self.stage2 is not None:
            stars = stars + self.stage2.correction(rows, first)
        return stars.clamp(*self.gaussian.moments.scale)

    @property
    def levels(self) -> Tensor:
        """The ratings there are, ascending, (c,)."""
        return self.probit.levels

    def probabilities(self, rows: Rows) -> Tensor:
        """Of each level (n, c), the probit's."""
        return self.probit.probabilities(rows)

    def spread(self, rows: Rows) -> Tensor:
        """Standard deviation (n,) of the rating: of the even mixture of both models."""
        squares = [
            model.spread(rows).square() + model.predict(rows).square()
            for model in (self.probit, self.gaussian)
        ]
        mean = (self.probit.predict(rows) + self.gaussian.predict(rows)) / 2
        return ((squares[0] + squares[1]) / 2 - mean.square()).sqrt()

    def samples(self) -> Iterator[Factors]:
        """Draws of the Gaussian chain's rows."""
        return self.gaussian.samples()

    def save(self, folder: Path) -> None:
        """A folder for each chain, and `stage2.safetensors` once there are trees."""
        for name, model in (("probit", self.probit), ("gaussian", self.gaussian)):
            (folder / name).mkdir()
            model.save(folder / name)
        save_file({"train_loss": torch.tensor([self.train_loss])}, folder / "pair.safetensors")
        if self.stage2 is not None:
            self.stage2.save(folder)


@dataclass(frozen=True, kw_only=True)
class BayesianPair(Sampled[PairModel]):
    """Ordered probit and Gaussian with a noise for each user and item, averaged; then trees.

    gaussian_factors: of the Gaussian chain, `n_factors` being the probit's.
    user_noise, item_noise: degrees of freedom of its noise.
    user_cuts: whether the probit's cut points differ by user.
    trees: of the second stage, for each of five seeds; 0: none.
    """

    effort: ClassVar[float] = 5.0
    gaussian_factors: Annotated[int, Span(low=4, high=32, log=True)] = 10
    user_noise: Annotated[float, Span(low=3.0, high=50.0, log=True)] = 8.0
    item_noise: Annotated[float, Span(low=3.0, high=50.0, log=True)] = 20.0
    user_cuts: bool = False
    trees: int = 150

    def start(self, train: Rows, context: Context) -> tuple[Sampling, Sampling]:
        """Both chains before their first sweep; they share no random number."""
        other = replace(context, seed=context.seed + 1_000_003)
        noise = (self.user_noise, self.item_noise)
        parts = replace(self.parts(ordinal=False, noise=noise), n_factors=self.gaussian_factors)
        left_out = replace(self.plan, leave_out=True)
        ordinal = self.parts(ordinal=True, user_cuts=self.user_cuts)
        probit = Sampling(train, context, ordinal, left_out)
        return probit, self.chain(train, other, parts)

    def sample(self, train: Rows, context: Context) -> Iterator[PairModel]:
        """The mean of both chains after each pass; the last model has the trees.

        Raises:
            CollabError: scikit-learn is not installed.
        """
        if self.trees:
            boosting_regressor()  # before the sampling, not after it
        yield from self.models(self.start(train, context), context)

    def merge(self, models: Sequence[PairModel]) -> PairModel:
        """Both kinds of chain merged for themselves, and the mean of all trees."""
        probits, gaussians = [m.probit for m in models], [m.gaussian for m in models]
        probit = merge([model.moments for model in probits], self.columns)
        gaussian = merge([model.moments for model in gaussians], self.columns)
        grown = [model.stage2 for model in models if model.stage2 is not None]
        return PairModel(
            OrdinalModel(probit, *told_of(probits)),
            GaussianModel(gaussian, *told_of(gaussians)),
            replace(grown[0], trees=Trees.mean([one.trees for one in grown])) if grown else None,
            sum(model.train_loss for model in models) / len(models),
        )

    def models(self, chains: tuple[Sampling, Sampling], context: Context) -> Iterator[PairModel]:
        """The models of two chains, from where they stand."""
        pairs = zip(chains[0].passes(), chains[1].passes(), strict=True)
        for number, moments in enumerate(pairs, start=1):
            losses = [chain.train_loss() for chain in chains]
            sizes = [chain.n_parameters() for chain in chains]
            probit = OrdinalModel(moments[0], losses[0], sizes[0])
            gaussian = GaussianModel(moments[1], losses[1], sizes[1])
            last = number == self.plan.passes and self.trees
            stage2 = self.second(chains[0], context) if last else None
            yield PairModel(probit, gaussian, stage2, sum(losses) / 2)

    def second(self, probit: Sampling, context: Context) -> Stage2:
        """Trees on what the probit leaves of each training row without knowing it."""
        train = probit.chain.train.to(torch.device("cpu"))
        sizes = (context.n_users, context.n_items)
        neighbors = Neighbors.of(train, context.features, sizes)
        first = probit.found.left_out().cpu()
        x = with_first(neighbors, train, first, time=self.uses_time)
        left = (train.ratings - first).numpy()
        grown = Boosting(trees=self.trees).grow(x, left, context.seed)
        return Stage2(grown, neighbors, self.uses_time)

    def load(self, folder: Path) -> PairModel:
        """The model in a folder."""
        parts = [Moments.load(folder / name) for name in ("probit", "gaussian")]
        told = [(moments, r["train_loss"], r["n_parameters"]) for moments, r in parts]
        stage2 = Stage2.load(folder) if (folder / "stage2.safetensors").is_file() else None
        loss = float(load_file(folder / "pair.safetensors")["train_loss"])
        return PairModel(OrdinalModel(*told[0]), GaussianModel(*told[1]), stage2, loss)


@dataclass(frozen=True, kw_only=True)
class BayesianPairTime(BayesianPair):
    """The same with effects of sessions and weeks, and features of time."""

    uses_time: ClassVar[bool] = True
    effort: ClassVar[float] = 7.0
    gaussian_factors: Annotated[int, Span(low=4, high=32, log=True)] = 12
    effects: tuple[str, ...] = (*TASTE, *SESSION)


def with_first(neighbors: Neighbors, rows: Rows, first: Tensor, *, time: bool) -> Array:
    """Features (n, f) of rows, the first stage's prediction among them."""
    return np.column_stack([neighbors.features(rows, time=time), first.numpy()])
