"""What an estimator is, and what a fitted model may be able to do.

An estimator is a frozen dataclass of its own hyperparameters and nothing else. `fit` yields a model
that can be used after each pass over the data: an epoch, a sweep or a sample. What a model can do
besides predicting it says by the methods it has; nothing is recognised by the names of weights. How
a new user is taken in stands in `fold_in`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor

from collab.dataset.dataset import Dataset
from collab.dataset.features import Features
from collab.dataset.rows import Rows
from collab.estimators.cost import Cost, Size
from collab.estimators.record import from_record, to_record

Range = tuple[float, float]
PAIRS_AT_ONCE = 1 << 12  # whose factors are gathered: what stays in a cache

RELEASE_CHAINS = 3


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a fit is told besides its rows.

    seed: of weights, shuffling and sampling.
    device: where the rows are and the model shall be.
    n_users, n_items: how many indices there are, the unknown (0) counted.
    scale: the lowest and the highest rating there can be, stars.
    features: side features by index.
    """

    seed: int
    device: torch.device
    n_users: int
    n_items: int
    scale: Range
    features: Features

    @classmethod
    def of(cls, dataset: Dataset, seed: int, device: torch.device) -> Self:
        """The context of a dataset."""
        return cls(
            seed=seed,
            device=device,
            n_users=len(dataset.users),
            n_items=len(dataset.items),
            scale=dataset.scale,
            features=dataset.features(),
        )

    def generator(self) -> torch.Generator:
        """A generator on the device, seeded."""
        return torch.Generator(self.device).manual_seed(self.seed)


class Fitted(Protocol):
    """A model that can be used.

    train_loss: on the training rows as the last pass saw it: mean squared error, stars squared, but
        for a model with a loss of its own.
    n_parameters: how many numbers it learnt.
    """

    train_loss: float
    n_parameters: int

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,), float32, on the CPU; index 0 is somebody or something never seen."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `Estimator.load` needs into a folder that exists."""
        ...


class Estimator(Protocol):
    """Something that can learn: a frozen dataclass of its hyperparameters.

    uses_time: whether predictions use the row's own time stamp; such a model supplies no tables.
    passes: how many models `fit` yields.
    explains: whether its models have factors (`HasFactors`), so that one may supply tables.
    """

    uses_time: ClassVar[bool]

    @property
    def explains(self) -> bool:
        """Whether its models have factors."""
        ...

    @property
    def passes(self) -> int:
        """How many models `fit` yields: epochs, sweeps or samples."""
        ...

    def fit(self, train: Rows, context: Context) -> Iterator[Fitted]:
        """Learn; yields a usable model after each pass, which the next may change.

        Raises:
            CollabError: learning diverged.
        """
        ...

    def load(self, folder: Path) -> Fitted:
        """The model that `Fitted.save` wrote, on the CPU."""
        ...

    def cost(self, size: Size) -> Cost:
        """What `fit` takes, estimated."""
        ...


@dataclass(frozen=True, kw_only=True)
class Factors:
    """A model as tables: what it learnt of each user and item, by dense index (0 the unknown).

        score = mean + user_bias[u] + item_bias[i] + <user_factors[u], item_factors[i]>
        stars = score, or low + (high - low) * sigmoid(score) where `y_range` is (low, high),
                clipped to `clip` where that is given

    user_factors (n_users, k), item_factors (n_items, k);
    user_bias (n_users,), item_bias (n_items,).
    """

    mean: float
    user_factors: Tensor
    item_factors: Tensor
    user_bias: Tensor
    item_bias: Tensor
    y_range: Range | None = None
    clip: Range | None = None

    def link(self, score: Tensor) -> Tensor:
        """Scores as stars, any shape."""
        stars = score
        if self.y_range is not None:
            low, high = self.y_range
            stars = low + (high - low) * torch.sigmoid(score)
        return stars if self.clip is None else stars.clamp(*self.clip)

    def predict(self, users: Tensor, items: Tensor) -> Tensor:
        """Stars (n,) of pairs of indices (n,), (n,)."""
        parts = (torch.split(of, PAIRS_AT_ONCE) for of in (users, items))
        score = torch.cat([self.score(u.long(), i.long()) for u, i in zip(*parts, strict=True)])
        return self.link(score)

    def score(self, users: Tensor, items: Tensor) -> Tensor:
        """Scores (n,) of pairs of indices (n,), (n,), their factors gathered at once."""
        score = (self.user_factors[users] * self.item_factors[items]).sum(1)
        return score + self.user_bias[users] + self.item_bias[items] + self.mean


@runtime_checkable
class HasFactors(Protocol):
    """A model whose predictions are those of its factors and biases: it can supply tables."""

    def factors(self) -> Factors:
        """The tables, float32, on the CPU."""
        ...


@runtime_checkable
class HasUncertainty(Protocol):
    """A model that says how sure it is."""

    def spread(self, rows: Rows) -> Tensor:
        """Standard deviation (n,) of the rating around each prediction, stars."""
        ...

    def samples(self) -> Iterator[Factors]:
        """Draws of the factors from their posterior."""
        ...


@runtime_checkable
class SlowToList(Protocol):
    """A model that takes minutes to score all items for many users: its lists are not judged."""

    slow_to_list: ClassVar[bool]


@runtime_checkable
class HasClasses(Protocol):
    """A model that gives each rating there can be a probability."""

    @property
    def levels(self) -> Tensor:
        """The ratings there can be, ascending, (c,)."""
        ...

    def probabilities(self, rows: Rows) -> Tensor:
        """Of each level (n, c)."""
        ...


@runtime_checkable
class Shortens(Protocol):
    """An estimator that can do with less time."""

    def within(self, size: Size, seconds: float) -> Estimator | None:
        """The same with as many passes as take so many seconds; None where that is too few."""
        ...


@runtime_checkable
class HasChains(Protocol):
    """An estimator of independent chains, each of which can be a run of its own."""

    @property
    def chains(self) -> int:
        """How many there are."""
        ...

    def of_chains(self, chains: int) -> Estimator:
        """The estimator of so many."""
        ...

    def seeds(self, seed: int) -> list[int]:
        """Each chain's seed; the first is the one given."""
        ...

    def merge(self, models: Sequence[Any]) -> Fitted:
        """The model of several chains, each fitted alone with a seed of its own."""
        ...


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A variant: a name and the estimator behind it.

    about: the model in a few words, for the documentation and the leaderboard.
    chosen_on: what its hyperparameters were chosen on.
    """

    name: str
    estimator: Estimator
    about: str = field(default="", compare=False)
    chosen_on: str = field(default="", compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        told = {"about": self.about, "chosen_on": self.chosen_on}
        return {"name": self.name, "estimator": to_record(self.estimator), **told}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_json` wrote.

        Raises:
            ValueError: its estimator is of another version of the program.
        """
        return cls(**{**record, "estimator": from_record(record["estimator"])})


def chains_of(recipe: Recipe, seed: int) -> list[tuple[Recipe, int]]:
    """The chains that a recipe's model is merged from, each with its seed; none where it is one."""
    estimator = recipe.estimator
    if not isinstance(estimator, HasChains) or estimator.chains == 1:
        return []
    alone = replace(recipe, estimator=estimator.of_chains(1))
    return [(alone, number) for number in estimator.seeds(seed)]


def for_release(recipe: Recipe) -> Recipe:
    """The recipe as it supplies tables: what is sampled by several chains, which are surer."""
    estimator = recipe.estimator
    if not isinstance(estimator, HasChains) or estimator.chains >= RELEASE_CHAINS:
        return recipe
    return replace(recipe, estimator=estimator.of_chains(RELEASE_CHAINS))
