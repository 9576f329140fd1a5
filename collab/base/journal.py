"""The journal: one line for each step that ended, in the log and in `<data>/journal.jsonl`.

A line says what was done, what came of it, on how many rows, in how many seconds and where the
result lies (below the data folder). It needs no server, so that it can be read when there is none.
"""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from collab.base.machine import peak_memory_mib
from collab.base.paths import DataDir

log = logging.getLogger(__name__)

Entry = dict[str, Any]

ALWAYS = {"step", "at", "outcome"}  # fields of every entry
LARGEST = 4 << 20  # bytes; about fifteen thousand lines, which is years of a weekly pipeline


@contextmanager
def step(data: DataDir, name: str, **known: Any) -> Iterator[Entry]:
    """Time a step and write its line when it ends, also when it fails.

    Args:
        data: the data folder.
        name: what is done: `fetch`, `ingest`, `train` or `publish`.
        known: further fields, known before the step begins.

    Yields:
        The line's fields, for the step to add to: `outcome` (`made` or `found`), `rows`, `where`.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    entry: Entry = {"step": name, "at": started, **known, "outcome": "made"}
    start = time.perf_counter()
    try:
        yield entry
    except BaseException as error:
        entry |= {"outcome": "failed", "error": first_line(error)}
        raise
    finally:
        entry.setdefault("seconds", round(time.perf_counter() - start, 3))
        entry.setdefault("peak_memory_mib", peak_memory_mib())
        log.info(as_text(entry))
        keep(data.journal, entry)


def below(data: DataDir, path: Path) -> str:
    """A path for the journal: relative to the data folder, so that the folder can be moved."""
    return os.path.relpath(path, data.root)


def first_line(error: BaseException) -> str:
    """What went wrong, on one line, never empty."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def as_text(entry: Entry) -> str:
    """An entry as `key=value` pairs; a value with spaces is quoted."""
    shown = {k: v for k, v in entry.items() if k not in {"at", "flow_run"} and v is not None}
    pairs = ((k, str(v)) for k, v in shown.items())
    return " ".join(f"{k}={json.dumps(v) if ' ' in v else v}" for k, v in pairs)


def keep(journal: Path, entry: Entry) -> None:
    """Add a line where that can be done; a full disk must not hide how the step itself ended."""
    try:
        append(journal, entry)
    except OSError as error:
        log.warning("%s could not be written: %s", journal, error)


def append(journal: Path, entry: Entry) -> None:
    """Add one line; lines of processes that write at once do not mix."""
    with journal.open("ab", buffering=0) as file:
        file.write((json.dumps(entry, ensure_ascii=False) + "\n").encode())
        full = file.tell() > LARGEST
    if full:
        turn(journal)


def turn(journal: Path) -> None:
    """Begin the journal anew; what was written stays as `journal.jsonl.1`, in place of the last."""
    with FileLock(journal.with_name(f".{journal.name}.lock")):
        if journal.exists() and journal.stat().st_size > LARGEST:  # another did so just now
            journal.replace(older(journal))


def older(journal: Path) -> Path:
    """Where the lines before those of the journal are."""
    return journal.with_name(f"{journal.name}.1")


def read_journal(data: DataDir) -> list[Entry]:
    """All entries, oldest first.

    A line that is none, such as one that a killed process left unfinished, is passed over.
    """
    entries = []
    for part in (older(data.journal), data.journal):
        text = part.read_text(encoding="utf-8", errors="replace") if part.exists() else ""
        for line in text.split("\n"):  # and at nothing else that a line of text may end at
            with suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.keys() >= ALWAYS:
                    entries.append(entry)
    return entries
