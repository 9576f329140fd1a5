"""What may go: runs, datasets and lake folders that nothing published refers to.

Of a run that goes, its record and its history stay as one small file, `history/<run_id>.json`, so
that `runs` and `metrics` go on telling of every run there ever was. The trials of a search, of
which nothing published tells, go by their age alone.
"""

import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from collab.base.files import committed, read_json, readable, write_json
from collab.base.paths import DataDir
from collab.base.serving import served_editions
from collab.release.snapshot import list_snapshots
from collab.runs.record import Run, load_run, parse_record

if TYPE_CHECKING:
    import pandas as pd

KEEP_DAYS = 30.0


@dataclass(frozen=True, kw_only=True)
class Removable:
    """A folder that may go, and how many bytes that frees."""

    folder: Path
    size: int


def all_runs(data: DataDir) -> list[Run]:
    """Every run there is or was, oldest first."""
    there = readable(committed(data.runs, "run.json", "metrics.parquet"), load_run)
    known = {run.run_id for run in there}
    gone = readable(sorted(data.history.glob("*.json")), load_remembered)
    every = [*there, *(run for run in gone if run.run_id not in known)]
    return sorted(every, key=lambda run: (run.record.started_at, run.run_id))


def load_remembered(path: Path) -> Run:
    """A run whose folder is gone; its folder is named as it was."""
    record = parse_record(read_json(path)["run"])
    return Run(folder=path.parent.parent / "runs" / record.run_id, record=record)


def metrics_of(run: Run) -> "pd.DataFrame":
    """The history of a run: `epoch, split, metric, value`; also of one whose folder is gone."""
    import pandas as pd  # late: an analyst's `collab` has none

    path = run.folder / "metrics.parquet"
    if path.exists():
        return pd.read_parquet(path)
    remembered = read_json(run.folder.parent.parent / "history" / f"{run.run_id}.json")
    return pd.DataFrame(remembered["metrics"])


def removable(data: DataDir, days: float = KEEP_DAYS) -> list[Removable]:
    """What nothing published refers to and is older than so many days.

    Lake folders and datasets that a run which stays was made of stay with it, and so does the
    newest lake folder of each edition.
    """
    kept_runs, kept_datasets, kept_lakes = referred(data)
    runs = [path for path in stale(data.runs, days) if path.name not in kept_runs]
    for run in readable((p.parent for p in data.runs.glob("[!.]*/run.json")), load_run):
        if run.folder not in runs:
            kept_datasets.add(run.record.dataset)
            kept_lakes.add(run.record.data_fingerprint[:16])
    datasets = [path for path in stale(data.datasets, days) if path.name not in kept_datasets]
    lakes = []
    for edition in sorted(data.lake.glob("[!.]*")):
        folders = sorted(edition.glob("[!.]*/manifest.json"), key=lambda p: p.stat().st_mtime)
        newest = {folders[-1].parent.name} if folders else set()
        kept = kept_lakes | newest
        lakes += [path for path in stale(edition, days) if path.name not in kept]
    found = (*runs, *stale(data.trials, days), *datasets, *lakes)
    return [Removable(folder=path, size=size_of(path)) for path in found]


def referred(data: DataDir) -> tuple[set[str], set[str], set[str]]:
    """The runs, datasets and lake folders of every snapshot that is there, by name."""
    runs: set[str] = set()
    datasets: set[str] = set()
    lakes: set[str] = set()
    for edition in served_editions(data.serve):
        for snapshot in list_snapshots(data.serve / edition):
            runs |= set(snapshot.record.runs)
            datasets |= set(snapshot.record.datasets)
            lakes.add(snapshot.record.data_fingerprint[:16])
    return runs, datasets, lakes


def stale(parent: Path, days: float) -> Iterator[Path]:
    """The committed folders below `parent` that are older than so many days."""
    oldest = time.time() - days * 86400
    for path in sorted(parent.glob("[!.]*")):
        if path.is_dir() and path.stat().st_mtime < oldest:
            yield path


def size_of(folder: Path) -> int:
    """Bytes of all its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def remove(data: DataDir, found: list[Removable]) -> None:
    """Remove folders; of a run, but a trial, its record is kept first."""
    for item in found:
        with FileLock(item.folder.parent / f".{item.folder.name}.lock"):
            if item.folder.parent == data.runs and (item.folder / "run.json").exists():
                remember(data, item.folder)
            shutil.rmtree(item.folder, ignore_errors=True)


def remember(data: DataDir, folder: Path) -> None:
    """Keep a run's record and metrics beyond its folder; of one that cannot be read, nothing."""
    for record in readable([folder], memory_of):
        data.history.mkdir(exist_ok=True)
        write_json(data.history / f"{folder.name}.json", record)


def memory_of(folder: Path) -> dict[str, Any]:
    """What is kept of a run."""
    run = load_run(folder)
    return {"run": asdict(run.record), "metrics": metrics_of(run).to_dict("records")}
