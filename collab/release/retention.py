"""What may go: runs, datasets and lake folders that nothing published refers to.

What a process that died left unfinished goes whatever its age. What stays of a run that goes,
`remembered` says. The trials of a search, of which nothing published tells, go by their age alone.
To say what may go needs no torch.
"""

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from collab.base.alive import is_held
from collab.base.files import UNFINISHED, read_json, readable
from collab.base.paths import DataDir
from collab.base.serving import served_editions
from collab.release.snapshot import PUBLISH_LOCK, list_snapshots

log = logging.getLogger(__name__)

KEEP_DAYS = 30.0


@dataclass(frozen=True, kw_only=True)
class Removable:
    """A folder that may go, and how many bytes that frees."""

    folder: Path
    size: int


def removable(data: DataDir, days: float = KEEP_DAYS) -> list[Removable]:
    """What nothing published refers to and is older than so many days, and what is unfinished.

    Lake folders and datasets that a run which stays was made of stay with it, and so does the
    newest lake folder of each edition.
    """
    kept_runs, kept_datasets, kept_lakes = referred(data)
    runs = [path for path in older(data.runs, days) if path.name not in kept_runs]
    there = (path.parent for path in data.runs.glob("[!.]*/run.json"))
    for dataset, lake in readable((path for path in there if path not in runs), made_of):
        kept_datasets.add(dataset)
        kept_lakes.add(lake)
    datasets = [path for path in older(data.datasets, days) if path.name not in kept_datasets]
    lakes = []
    for edition in sorted(data.lake.glob("[!.]*")):
        folders = sorted(edition.glob("[!.]*/manifest.json"), key=lambda p: p.stat().st_mtime)
        newest = {folders[-1].parent.name} if folders else set()
        kept = kept_lakes | newest
        lakes += [path for path in older(edition, days) if path.name not in kept]
    found = (*runs, *older(data.trials, days), *datasets, *lakes)
    return [*map(measured, found), *unfinished(data)]


def unfinished(data: DataDir) -> list[Removable]:
    """What processes that died left half made, whatever its age: nobody holds its lock."""
    parents = (data.runs, data.trials, data.datasets, *data.lake.glob("*"))
    folders = [path for parent in parents for path in sorted(parent.glob(f".*{UNFINISHED}*"))]
    snapshots = sorted(data.serve.glob("*/snapshots/*.tmp"))
    return [measured(path) for path in (*folders, *snapshots) if not under_way(path)]


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


def older(parent: Path, days: float) -> Iterator[Path]:
    """The finished folders below `parent` that are older than so many days."""
    oldest = time.time() - days * 86400
    for path in sorted(parent.glob("[!.]*")):
        if path.is_dir() and path.stat().st_mtime < oldest:
            yield path


def under_way(folder: Path) -> bool:
    """Whether a living process builds an unfinished folder."""
    lock = lock_of(folder)
    return lock.exists() and is_held(lock)


def lock_of(folder: Path) -> Path:
    """The lock that whoever builds a folder holds, be it finished or not."""
    if folder.suffix == ".tmp":
        return folder.parent.with_name(PUBLISH_LOCK)
    name, _, _ = folder.name.removeprefix(".").partition(UNFINISHED)
    return folder.with_name(f".{name}.lock")


def made_of(run: Path) -> tuple[str, str]:
    """The dataset and the lake folder that a run was made of, by name."""
    record = read_json(run / "run.json")
    return str(record["dataset"]), str(record["data_fingerprint"])[:16]


def measured(folder: Path) -> Removable:
    """A folder with the bytes of all its files."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Removable(folder=folder, size=size)


def remove(data: DataDir, found: list[Removable]) -> list[Removable]:
    """Remove folders; of a run, but a trial, its record is kept first.

    A folder goes from its name at once, so that none is left of which a part is gone.

    Returns:
        Those that were removed; what could not be is logged, and stays for the next time.
    """
    return [item for item in found if is_removed(data, item.folder)]


def is_removed(data: DataDir, folder: Path) -> bool:
    """Remove a folder; returns whether that could be done."""
    try:
        with FileLock(lock_of(folder), timeout=1):  # whoever holds it longer is at work
            if folder.parent == data.runs and (folder / "run.json").exists():
                from collab.release.remembered import remember  # late: it takes torch

                remember(data, folder)
            if not folder.name.startswith("."):
                folder = folder.rename(folder.with_name(f".{folder.name}{UNFINISHED}gone"))
            shutil.rmtree(folder)
    except OSError as error:
        log.warning("%s could not be removed: %s", folder, error)
        return False
    return True
