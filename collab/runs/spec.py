"""What a run is made of."""

from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from collab.base.fingerprint import PACKAGE, code_digest, fingerprint
from collab.dataset.dataset import Dataset, load_dataset
from collab.estimators.api import Estimator, Recipe, chains_of


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Dataset, recipe, seed and the kind of device.

    dataset: a committed folder.
    runs: the folder of all runs.
    seed: of weights, shuffling and sampling.
    device: `cpu`, `cuda` or `mps`; which CUDA device is not part of a run's identity.
    limits: (pass, MSE): learning ends after that pass where the validation error is larger.
    """

    dataset: Path
    runs: Path
    recipe: Recipe
    seed: int
    device: str
    limits: tuple[tuple[int, float], ...] = ()

    @cached_property
    def rows(self) -> Dataset:
        """The dataset, opened."""
        return load_dataset(self.dataset)

    @property
    def key(self) -> str:
        """Hex sha256 of all that the result depends on: content, settings, code, torch."""
        recipe = self.recipe.to_json()
        return fingerprint(
            dataset=self.rows.key,
            recipe={"name": recipe["name"], "estimator": recipe["estimator"]},
            seed=self.seed,
            device=self.device,
            code=code_digest(*code_of(self.recipe.estimator), "runs"),
            torch=version("torch"),
            **({"limits": self.limits} if self.limits else {}),
        )

    @property
    def run_id(self) -> str:
        """Edition, variant and the key's beginning."""
        return f"{self.rows.edition}-{self.recipe.name}-{self.key[:12]}"

    @property
    def folder(self) -> Path:
        """Where the run is committed."""
        return self.runs / self.run_id

    def chains(self) -> "list[RunSpec]":
        """The runs that this one may be merged from; none where it is of one chain."""
        chains = chains_of(self.recipe, self.seed)
        return [replace(self, recipe=recipe, seed=seed) for recipe, seed in chains]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a child process."""
        return {
            "dataset": str(self.dataset),
            "runs": str(self.runs),
            "recipe": self.recipe.to_json(),
            "seed": self.seed,
            "device": self.device,
            "limits": self.limits,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "RunSpec":
        """The spec that `to_json` wrote."""
        changed = {
            "dataset": Path(record["dataset"]),
            "runs": Path(record["runs"]),
            "recipe": Recipe.from_json(record["recipe"]),
            "limits": tuple((number, mse) for number, mse in record["limits"]),
        }
        return cls(**{**record, **changed})

    def ends_after(self, number: int, mse: float | None) -> bool:
        """Whether learning ends after a pass, numbered from 1, with that validation error."""
        return any(number == at and not (mse or 0) <= limit for at, limit in self.limits)


def code_of(estimator: Estimator) -> list[str]:
    """The code an estimator depends on: the interface, and its own module or package.

    A module's parts begin with its name, as `als_posterior.py` does. So a new estimator beside it
    changes no key.
    """
    package, *path = type(estimator).__module__.split(".")
    if package != PACKAGE.name or path[:1] != ["estimators"]:
        return ["estimators/api.py"]
    own = "/".join(path[:2])
    if (PACKAGE / own).is_dir():
        return ["estimators/api.py", own]
    parts = sorted(path.name for path in PACKAGE.glob(f"{own}_*.py"))
    return ["estimators/api.py", f"{own}.py", *(f"{path[0]}/{part}" for part in parts)]
