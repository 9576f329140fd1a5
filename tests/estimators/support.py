"""What the tests of estimators share."""

from collections.abc import Mapping
from dataclasses import fields, replace

import torch

from collab.dataset.dataset import Dataset
from collab.dataset.features import Features
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import Context, Estimator, Fitted
from collab.estimators.recipes import FAITHFUL
from collab.estimators.sgd.estimator import Sgd

CPU = torch.device("cpu")
CHAPTER: dict[str, Sgd] = {name: estimator for name, (estimator, _) in FAITHFUL.items()}
QUICK: Mapping[str, int] = {  # hyperparameters that cost time, where an estimator has them
    "epochs": 2,
    "batch_size": 16,
    "sweeps": 2,
    "n_factors": 4,
    "samples": 3,
    "burn_in": 2,
}


def generator(seed: int = 1) -> torch.Generator:
    """A seeded generator."""
    return torch.Generator().manual_seed(seed)


def quick(estimator: Estimator) -> Estimator:
    """The same kind of estimator, small."""
    names = {f.name for f in fields(estimator)}  # type: ignore[arg-type]
    smaller: Estimator = replace(  # type: ignore[type-var]
        estimator, **{name: value for name, value in QUICK.items() if name in names}
    )
    return smaller


def context(n_users: int, n_items: int, seed: int = 1) -> Context:
    """A context of so many indices, without side features."""
    nothing = Features(
        genres=torch.zeros(n_items, 0, dtype=torch.uint8),
        years=torch.zeros(n_items, dtype=torch.int16),
    )
    return Context(
        seed=seed, device=CPU, n_users=n_users, n_items=n_items, scale=(1, 5), features=nothing
    )


def rows_of(ratings: list[tuple[int, int, float]], n_users: int, n_items: int) -> Rows:
    """Training rows of (user, item, stars), in any order."""
    users, items, stars = zip(*ratings, strict=True)
    rows = Rows(
        users=torch.tensor(users),
        items=torch.tensor(items),
        ratings=torch.tensor(stars, dtype=torch.float32),
        ts=torch.arange(len(stars)),
    )
    return grouped(rows, n_users, n_items)


def last(estimator: Estimator, train: Rows, where: Context) -> Fitted:
    """The model after the last pass."""
    return list(estimator.fit(train, where))[-1]


def fitted_on(estimator: Estimator, dataset: Dataset, seed: int = 1) -> Fitted:
    """The model after the last pass over a dataset's training rows."""
    return last(estimator, dataset.train(), Context.of(dataset, seed, CPU))


def unknown_rows(n_users: int, n_items: int) -> Rows:
    """Pairs of the unknown user, the unknown item, both and neither."""
    users, items = torch.tensor([0, 0, 1, 1, n_users - 1]), torch.tensor([0, 1, 0, 1, n_items - 1])
    return Rows(users=users, items=items, ratings=torch.zeros(5), ts=torch.zeros(5).long())
