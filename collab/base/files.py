"""Folders that are either whole or not there: built beside, sealed with checksums, renamed."""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

log = logging.getLogger(__name__)

SEAL = "sealed.json"
UNFINISHED = ".tmp-"  # `.<name>.tmp-…`: what is to be the folder of that name

T = TypeVar("T")


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's text by one rename; a reader sees the old text or the new, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o644)
    Path(name).replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def seal(folder: Path) -> None:
    """Record every file's size and sha256 in `sealed.json`, the last file of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": sha256_file(path),
        }
        for path in files
    }
    write_json(folder / SEAL, sums)


def is_whole(folder: Path, *names: str) -> bool:
    """Whether a sealed folder, or some of its files, still hold what was sealed, byte for byte."""
    try:
        sums = read_json(folder / SEAL)
        return all(
            (folder / name).stat().st_size == sums[name]["bytes"]
            and sha256_file(folder / name) == sums[name]["sha256"]
            for name in names or sums
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def committed(parent: Path, *names: str) -> list[Path]:
    """The folders below `parent` that are committed and still whole.

    What is under way, or was when its builder died, has a name that begins with a dot; what is
    damaged is left out with a warning.

    Args:
        parent: of the folders.
        names: look at these of their files alone, where only they are used.
    """
    there = sorted(parent.iterdir()) if parent.exists() else []
    named = [path for path in there if path.is_dir() and not path.name.startswith(".")]
    whole = [path for path in named if is_whole(path, *names)]
    for path in named:
        if path not in whole:
            log.warning("%s is damaged and left out; delete it, or make it again.", path)
    return whole


def readable(folders: Iterable[Path], load: Callable[[Path], T]) -> list[T]:
    """What `load` reads of each folder; a record of another version is left out and named."""
    found = []
    for folder in folders:
        try:
            found.append(load(folder))
        except (OSError, ValueError, KeyError) as error:
            log.warning("%s is left out: its record is of another version (%s).", folder, error)
    return found


def commit_folder(final: Path, build: Callable[[Path], None], *, force: bool = False) -> bool:
    """Make a folder once: nothing to do where it stands whole, else build, seal and rename.

    One process builds a folder at a time (a kernel lock, freed when its holder dies); the others
    wait and find it done.

    Args:
        final: the folder to make.
        build: fills an empty temporary neighbour of `final`.
        force: build even where `final` is whole.

    Returns:
        Whether it was built now.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(final.parent / f".{final.name}.lock"):
        if not force and is_whole(final):
            return False
        for stale in final.parent.glob(f".{final.name}{UNFINISHED}*"):
            shutil.rmtree(stale)
        temporary = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}{UNFINISHED}"))
        try:
            build(temporary)
            seal(temporary)
            temporary.chmod(0o755)
            swap_in(temporary, final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return True


def swap_in(temporary: Path, final: Path) -> None:
    """Rename a finished folder to its place; what stood there is moved aside and removed."""
    if final.exists():
        aside = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}{UNFINISHED}"))
        final.rename(aside / "old")
        temporary.rename(final)
        shutil.rmtree(aside)
    else:
        temporary.rename(final)
