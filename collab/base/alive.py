"""Which flows run: each holds the kernel's lock on a file while it does.

`<data>/running/<name>.json` says what runs. A process that dies without a word, by SIGKILL or with
its machine, frees the lock and leaves the file: so whoever looks next finds it out.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from collab.base.files import read_json
from collab.base.journal import Entry, keep, step
from collab.base.paths import DataDir

KILLED = "its process ended without a word: it was killed, or its machine stopped"


@contextmanager
def running(data: DataDir, name: str, **known: object) -> Iterator[Entry]:
    """A flow: running while this process lives, and a line of the journal when it ends.

    Args:
        data: the data folder; where it cannot be written nobody is told that it runs.
        name: of the flow.
        known: further fields of the line, such as `edition` and `flow_run`.
    """
    with step(data, f"flow {name}", **known) as entry, ExitStack() as stack:
        with suppress(OSError):
            bury(data)
            stack.enter_context(marked(data, {**entry, "pid": os.getpid()}))
        yield entry


@contextmanager
def marked(data: DataDir, entry: Entry) -> Iterator[None]:
    """Hold a locked file that says what runs.

    It is locked before it has its name, so that nobody takes it for one whose holder died.
    """
    data.running.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=data.running, prefix=".")
    path = Path(name).with_name(f"{Path(name).name[1:]}.json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.fchmod(handle, 0o644)  # for whoever looks
        json.dump(entry, file)
        file.flush()
        Path(name).rename(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def marks(data: DataDir) -> Iterator[tuple[Path, Entry, bool]]:
    """Each file of a flow: where it is, what it says, and whether its process lives."""
    for path in sorted(data.running.glob("[!.]*.json")):
        with suppress(OSError, ValueError):  # it ended meanwhile
            lives = is_held(path)
            yield path, read_json(path), lives


def is_held(lock: Path) -> bool:
    """Whether a process holds a lock; asked by sharing it for a moment, which hinders nobody."""
    handle = os.open(lock, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def alive(data: DataDir) -> list[Entry]:
    """What runs now: `step`, `at`, `pid`, and the flow's own fields."""
    return [entry for _, entry, lives in marks(data) if lives]


def killed(data: DataDir) -> list[Entry]:
    """The lines of flows whose processes ended without one, for the journal."""
    return [as_killed(entry) for _, entry, lives in marks(data) if not lives]


def as_killed(entry: Entry) -> Entry:
    """The line of a flow whose process ended without one."""
    return {**entry, "outcome": "failed", "error": KILLED}


def bury(data: DataDir) -> None:
    """Write the lines of those that died, once each, and forget them."""
    for path, entry, lives in marks(data):
        if not lives:
            with suppress(FileNotFoundError):  # another did so just now
                path.unlink()
                keep(data.journal, as_killed(entry))
