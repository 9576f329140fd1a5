"""What a run is estimated to cost: its passes and rows times constants of its kind of model.

Seconds of one core, from measurements on a shared machine of two: for weighing trials against each
other and against a budget, the same on every machine and at every hour.
"""

from typing import Any

from collab.dataset.dataset import Dataset
from collab.estimators.als import Als
from collab.estimators.bayes.pair import BayesianPair
from collab.estimators.bayes.settings import Sampled
from collab.estimators.sgd.estimator import Sgd
from collab.estimators.sgd.parts import embedding_size

START = 2.0  # of a child, which imports torch
OTHER = 1e-6  # a row and pass of any other model


def estimated_seconds(estimator: Any, dataset: Dataset) -> float:
    """Seconds of learning, without the start of a child."""
    match estimator:
        case Sgd():
            return sgd_seconds(estimator, dataset)
        case Als():
            return als_seconds(estimator, dataset)
        case Sampled():
            return sampled_seconds(estimator, dataset)
    return float(estimator.passes * dataset.n_train * OTHER)


def sgd_seconds(sgd: Sgd, dataset: Dataset) -> float:
    """A step costs something by itself, for each parameter and for each of its rows."""
    sizes = dataset.n_users + 1, dataset.n_items + 1
    rows = min(sgd.sized(*sizes).batch_size, dataset.n_train)
    steps = sgd.epochs * (dataset.n_train // rows)
    widths = [sgd.arguments.get("n_factors", embedding_size(n)) + 1 for n in sizes]
    parameters = sum(n * width for n, width in zip(sizes, widths, strict=True))
    if sgd.gradient == "closed_form":
        step, row = 50.0, 0.08 + 0.0009 * sum(widths)
    else:
        step, row = 350.0, 0.6 + 0.004 * sum(widths)
    return float(1e-6 * steps * (step + parameters / 1500 + rows * row))


def als_seconds(als: Als, dataset: Dataset) -> float:
    """Both sides of a sweep, and as much again for the draws, a quarter as dear as a sweep each."""
    width = als.n_factors + 1
    gram = 2 * dataset.n_train * (6e-9 * width + 1e-10 * width**2)
    solved = (dataset.n_users + dataset.n_items) * 3e-11 * width**3
    return (als.sweeps + 2) * (gram + solved)


def sampled_seconds(sampled: Sampled, dataset: Dataset) -> float:
    """The bases of what was rated, then sweeps; two chains of a pair."""
    chains = [sampled.n_factors]
    if isinstance(sampled, BayesianPair):
        chains.append(sampled.gaussian_factors)
    start = 1e-5 if sampled.history or sampled.side else 0.0
    sweeps = (sampled.sweeps * (1.5e-7 + 1e-8 * k) for k in chains)
    return dataset.n_train * sum(start + seconds for seconds in sweeps)
