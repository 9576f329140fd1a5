"""What a committed run says of itself.

A run folder holds `run.json` (a `RunRecord`), `metrics.parquet` (epoch, split, metric, value),
`predictions.parquet` (one row for each validation rating) and what the model saved.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collab.base.errors import CollabError
from collab.base.files import committed, read_json, readable
from collab.base.records import record_of, require_schema
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe

SCHEMA = 2


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The content of `run.json`.

    dataset, dataset_key: the name of its folder and the key of its content.
    as_of: only ratings up to this moment were used, ISO 8601, UTC; None: all.
    passes: epochs, sweeps or samples; fewer than the recipe's where a limit ended learning.
    factors_gap: the largest difference, stars, between a prediction and that of the published
        factors; None for a model without factors.
    mse, rmse, mae: on all validation rows; None where none validates.
    warm_mse, cold_mse: on rows whose user and item were seen in training, and on the others.
    train_seconds: of learning; seconds: of the whole run.
    """

    schema: int
    run_id: str
    key: str
    edition: str
    archive_sha256: str
    data_fingerprint: str
    dataset: str
    dataset_key: str
    protocol: Protocol
    as_of: str | None
    variant: str
    recipe: dict[str, Any]
    uses_time: bool
    seed: int
    passes: int
    factors_gap: float | None
    n_train: int
    n_valid: int
    n_users: int
    n_items: int
    n_parameters: int
    unknown_user_rows: int
    unknown_item_rows: int
    repeated_rows: int
    mse: float | None
    rmse: float | None
    mae: float | None
    warm_mse: float | None
    cold_mse: float | None
    started_at: str
    train_seconds: float
    seconds: float
    stages: dict[str, dict[str, float]]
    device: str
    device_name: str
    threads: int
    peak_memory_mib: int
    versions: dict[str, str]

    @property
    def supplies_tables(self) -> bool:
        """Whether its factors explain its predictions, which need no time stamp."""
        gap = self.factors_gap
        return gap is not None and gap <= LARGEST_GAP and not self.uses_time


LARGEST_GAP = 1e-3  # stars; float32 sums in another order differ by less than a hundredth of it


@dataclass(frozen=True, kw_only=True)
class Run:
    """A committed run: its folder and its record."""

    folder: Path
    record: RunRecord

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.record.run_id

    @property
    def recipe(self) -> Recipe:
        """The recipe it was trained by."""
        return Recipe.from_json(self.record.recipe)


def parse_record(values: Mapping[str, Any]) -> RunRecord:
    """The record that the values of a `run.json` are.

    Raises:
        ValueError: they are of another version.
    """
    require_schema(values, SCHEMA)
    protocol = Protocol.from_json(values.get("protocol"))
    return record_of(RunRecord, values, SCHEMA, protocol=protocol)


def load_run(folder: Path) -> Run:
    """Read a committed run's record.

    Raises:
        OSError, ValueError: there is none of this version.
    """
    return Run(folder=folder, record=parse_record(read_json(folder / "run.json")))


def newest_runs(
    runs: Path,
    fingerprint: str,
    run_ids: list[str] | None = None,
    candidate: Callable[[Run], bool] = lambda run: True,
) -> list[Run]:
    """The runs to publish: those named, or of the candidates the newest of each variant.

    Of several datasets the one on which most variants ran comes first; runs on further splits of
    its kind follow. Runs on all ratings, as of an earlier day and on inner splits are no
    candidates.

    Raises:
        CollabError: there are none, or one named is not there.
    """
    whole = readable(committed(runs), load_run)
    on_lake = sorted(
        (run for run in whole if run.record.data_fingerprint == fingerprint),
        key=lambda run: (run.record.started_at, run.run_id),
    )
    if run_ids is not None:
        if not run_ids:
            raise CollabError("The list of runs to publish is empty; name some, or none at all.")
        by_id = {run.run_id: run for run in on_lake}
        if missing := sorted(set(run_ids) - set(by_id)):
            raise CollabError(f"{runs} holds no run {', '.join(missing)} on these data.")
        return [by_id[run_id] for run_id in dict.fromkeys(run_ids)]
    judged = [run for run in on_lake if run.record.n_valid and not run.record.protocol.inner]
    current = [run for run in judged if run.record.as_of is None and candidate(run)]
    found = list({(run.record.variant, run.record.dataset): run for run in current}.values())
    if not found:
        raise CollabError(f"{runs} holds no run on these data. Run `train` first.")
    names = [run.record.dataset for run in found]
    first = max(reversed(names), key=names.count)
    chosen = [run for run in found if run.record.dataset == first]
    siblings = chosen[0].record.protocol.others()
    return chosen + [run for run in found if run.record.protocol in siblings]
