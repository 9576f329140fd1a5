"""A place to search in, on planted ratings, and training in this process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe
from collab.estimators.recipes import RECIPES
from collab.lake import Manifest
from collab.runs.record import Run, load_run
from collab.runs.spec import RunSpec
from collab.runs.train import train_run
from collab.search.search import Place, Search
from collab.search.trial import run_or_reason

ALS = RECIPES["als"]
BUDGET = 60.0  # estimated seconds: more than two dozen trials


@dataclass
class Here:
    """Trains in this process; `trained` are the runs that were not found committed.

    backwards: the last of a batch first, as if it had been on the fastest device.
    until: so many are trained, and then the process is as if killed.
    """

    backwards: bool = False
    until: float = float("inf")
    trained: list[str] = field(default_factory=list)

    def __call__(self, specs: list[RunSpec]) -> list[Run | str]:
        at = range(len(specs))[:: -1 if self.backwards else 1]
        results = {number: run_or_reason(specs[number], self.train) for number in at}
        return [results[number] for number in range(len(specs))]

    def train(self, spec: RunSpec) -> Run:
        if len(self.trained) == self.until:
            raise KeyboardInterrupt
        if train_run(spec):
            self.trained.append(spec.run_id)
        return load_run(spec.folder)


def inner_of(lake: Manifest, data: DataDir, number: int = 1) -> Dataset:
    """An inner split of the training rows of the random one."""
    return make_dataset(lake, Protocol(inner=number), data)[0]


Begin = Callable[..., Search]


@pytest.fixture
def begin(planted_lake: Manifest, planted_data: DataDir, tmp_path: Path) -> Begin:
    """Begins a search on the planted ratings."""

    def begin(
        recipe: Recipe = ALS,
        *,
        seed: int = 3,
        budget: float = BUDGET,
        inner: Dataset | None = None,
        runs: Path = tmp_path / "runs",
    ) -> Search:
        inner = inner or inner_of(planted_lake, planted_data)
        place = Place(inner=inner, runs=runs, seed=seed, device="cpu", max_cost=1.5)
        return Search(recipe, place, budget)

    return begin
