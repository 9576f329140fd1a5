"""What nothing published refers to any more: runs, datasets and folders of the lake.

A folder's name ends in the first digits of its key, and what was made from it holds that key in its
record; so what a publication refers to is found by following keys: from the snapshots that are kept
to their runs, from these to datasets, from these to the lake.
"""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from collab.base.database import open_database
from collab.base.errors import CollabError
from collab.base.files import SEAL
from collab.base.paths import DataDir
from collab.base.serving import DATABASE

KEY = re.compile(r"[0-9a-f]{12,64}")
DAY = 24 * 3600


def leftovers(data: DataDir, days: float) -> list[Path]:
    """The committed folders that nothing published refers to, nor anything younger than `days`.

    Of the runs, a publication refers to those of its leaderboard; those that only its history
    lists are lost to later histories when they are removed.

    Raises:
        CollabError: a publication cannot be read, so that it is not known what it refers to.
    """
    keys = {key for folder in snapshots(data.serve) for key in published_keys(folder)}
    found = []
    for place in (data.runs.glob("*"), data.datasets.glob("*"), data.lake.glob("*/*")):
        for folder in sorted(path for path in place if (path / SEAL).exists()):
            young = time.time() - (folder / SEAL).stat().st_mtime < days * DAY
            if young or refers(keys, folder.name):
                keys |= keys_in(*folder.glob("*.json"))
            else:
                found.append(folder)
    return found


def refers(keys: set[str], name: str) -> bool:
    """Whether the key that a folder's name ends in is among these; kept where it has none."""
    tail = name.rpartition("-")[2]
    return not KEY.fullmatch(tail) or any(key.startswith(tail) for key in keys)


def snapshots(serve: Path) -> Iterator[Path]:
    """The finished snapshots of all editions, those of an older version too."""
    for folder in (*serve.glob("*/snapshots/*"), *serve.glob("snapshots/*")):
        if folder.name.isdecimal():
            yield folder


def published_keys(snapshot: Path) -> set[str]:
    """The keys in a snapshot's record, and those of the runs of its leaderboard."""
    try:
        with open_database(snapshot / DATABASE, read_only=True) as con:
            runs = con.execute("SELECT run_id FROM runs WHERE is_current").fetchall()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise CollabError(f"{snapshot} cannot be read: {reason}. Nothing was removed.") from error
    return keys_in(*snapshot.glob("*.json")) | {key for (run,) in runs for key in KEY.findall(run)}


def keys_in(*records: Path) -> set[str]:
    """All that looks like a key in some JSON files, the checksums of a seal apart."""
    texts = (path.read_text(encoding="utf-8") for path in records if path.name != SEAL)
    return {key for text in texts for key in KEY.findall(text)}


def remove(folder: Path) -> None:
    """Remove a folder; cut short, it leaves a name that nobody takes for a committed one."""
    shutil.rmtree(folder.rename(folder.with_name(f".{folder.name}.tmp-removed")))


def size(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
