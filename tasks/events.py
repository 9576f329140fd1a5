"""Events: what the flows tell each other and the automations.

`collab.ratings.committed` starts `train`; `collab.runs.committed`, said of a release, starts
`publish`; `collab.tables.published` says that publication works. Each names the data folder and the
edition.
"""

from pathlib import Path
from typing import Any

from prefect.events import emit_event

from collab.base.paths import DataDir
from collab.lake import Manifest
from collab.release.snapshot import Snapshot
from tasks.train import Trained

RATINGS_COMMITTED = "collab.ratings.committed"
RUNS_COMMITTED = "collab.runs.committed"
TABLES_PUBLISHED = "collab.tables.published"
DATA_DIR = "collab.data-dir"  # a label: what is waited for in one folder is not seen in another


def announce_ratings(lake: Manifest, data: DataDir) -> bool:
    """Say that new ratings were committed: once for each fingerprint, also after a crash.

    Returns:
        Whether it was said now.
    """
    if announcement(lake).exists():
        return False
    emit(RATINGS_COMMITTED, "ratings", lake, data, ratings=lake.counts["ratings"])
    mark_announced(lake)
    return True


def mark_announced(lake: Manifest) -> None:
    """Keep `ingest` from announcing ratings that are trained on already."""
    announcement(lake).touch()


def announcement(lake: Manifest) -> Path:
    """The file that says so; it stands beside the sealed folder."""
    return lake.path.with_name(f"{lake.path.name}.announced")


def announce_runs(lake: Manifest, trained: Trained, data: DataDir) -> None:
    """Say that runs on these data are there; said every time, since publishing twice is nothing."""
    told = {"run_ids": [run.run_id for run in trained.runs], "left_out": list(trained.left_out)}
    emit(RUNS_COMMITTED, "runs", lake, data, **told)


def announce_publication(lake: Manifest, snapshot: Snapshot, made: bool, data: DataDir) -> None:
    """Say that the tables stand published, made now or found."""
    emit(TABLES_PUBLISHED, "tables", lake, data, snapshot=snapshot.seq, made=made)


def emit(event: str, what: str, lake: Manifest, data: DataDir, **payload: Any) -> None:
    """Emit one event about an edition's ratings, runs or tables."""
    emit_event(
        event=event,
        resource={
            "prefect.resource.id": f"collab.{what}.{lake.edition}",
            "prefect.resource.name": f"{what} of {lake.edition}",
            DATA_DIR: str(data.root),
        },
        payload={
            "edition": lake.edition,
            "fingerprint": lake.fingerprint,
            "data_dir": str(data.root),
            **payload,
        },
    )
