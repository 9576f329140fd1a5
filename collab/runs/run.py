"""What a training run is made of, and where it is kept.

A run folder holds `run.json` (recipe, seed, device, versions, fingerprints, counts, errors),
`metrics.parquet` (epoch, split, metric, value), `predictions.parquet` (one row for each validation
rating), `vocabulary.parquet` (entity, idx, id) and `model.safetensors`.
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from collab.base.errors import CollabError
from collab.base.files import committed, read_json
from collab.base.fingerprint import code_digest, fingerprint
from collab.lake import Manifest, load_manifest
from collab.estimators.sgd.recipe import Recipe
from collab.dataset.split import VALID_PCT


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What a run is made of: data, recipe, seed and the kind of device.

    lake: a committed folder of the lake.
    runs: the folder of all runs.
    device: `cpu`, `cuda` or `mps`; which CUDA device is not part of a run's identity.
    """

    lake: Path
    runs: Path
    recipe: Recipe
    seed: int
    device: str
    valid_pct: float = VALID_PCT

    @property
    def key(self) -> str:
        """Hex sha256 of all that the result depends on: content, settings, code, torch."""
        return fingerprint(
            data=load_manifest(self.lake).fingerprint,
            recipe=self.recipe.to_json(),
            seed=self.seed,
            device=self.device,
            valid_pct=self.valid_pct,
            code=code_digest("models", "training"),
            torch=version("torch"),
        )

    @property
    def run_id(self) -> str:
        """Edition, variant and the key's beginning."""
        return f"{load_manifest(self.lake).edition}-{self.recipe.name}-{self.key[:12]}"

    @property
    def folder(self) -> Path:
        """Where the run is committed."""
        return self.runs / self.run_id

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a child process."""
        paths = {"lake": str(self.lake), "runs": str(self.runs)}
        return {**vars(self), **paths, "recipe": self.recipe.to_json()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "RunSpec":
        """The spec that `to_json` wrote."""
        changed = {"lake": Path(record["lake"]), "runs": Path(record["runs"])}
        return cls(**{**record, **changed, "recipe": Recipe.from_json(record["recipe"])})


@dataclass(frozen=True, kw_only=True)
class Run:
    """A committed run: its folder and the record in its `run.json`."""

    folder: Path
    record: dict[str, Any]

    @property
    def run_id(self) -> str:
        """The run's name."""
        return str(self.record["run_id"])


def load_run(folder: Path) -> Run:
    """Read a committed run's record."""
    return Run(folder=folder, record=read_json(folder / "run.json"))


def committed_runs(runs: Path) -> list[Run]:
    """All committed runs that are whole, oldest first."""
    found = [load_run(folder) for folder in committed(runs)]
    return sorted(found, key=lambda run: (run.record["started_at"], run.run_id))


def newest_runs(runs: Path, lake: Manifest, run_ids: list[str] | None = None) -> list[Run]:
    """Of each variant the run on these data that was started last; or the runs named.

    Raises:
        CollabError: there are none, or one named is not there.
    """
    on_lake = [
        run for run in committed_runs(runs) if run.record["data_fingerprint"] == lake.fingerprint
    ]
    if run_ids is None:
        found = list({run.record["variant"]: run for run in on_lake}.values())
    else:
        by_id = {run.run_id: run for run in on_lake}
        if missing := sorted(set(run_ids) - set(by_id)):
            raise CollabError(f"{runs} holds no run {', '.join(missing)} on these data.")
        found = [by_id[run_id] for run_id in run_ids]
    if not found:
        raise CollabError(f"{runs} holds no run on {lake.edition}. Run `train` first.")
    return found
