"""What is known of every run there ever was, also of those whose folders are gone.

Of a run that goes, its record and its history stay as one small file, `history/<run_id>.json`, so
that `runs` and `metrics` go on telling of it.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collab.base.files import committed, read_json, readable, write_json
from collab.base.paths import DataDir
from collab.runs.record import Run, load_run, parse_record

if TYPE_CHECKING:
    import pandas as pd


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


def remember(data: DataDir, folder: Path) -> None:
    """Keep a run's record and metrics beyond its folder; of one that cannot be read, nothing."""
    for record in readable([folder], memory_of):
        data.history.mkdir(exist_ok=True)
        write_json(data.history / f"{folder.name}.json", record)


def memory_of(folder: Path) -> dict[str, Any]:
    """What is kept of a run."""
    run = load_run(folder)
    return {"run": asdict(run.record), "metrics": metrics_of(run).to_dict("records")}
