"""The members of an archive: where they lie, and how their text is had."""

import os
import threading
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from collab.base.errors import CollabError
from collab.movielens.editions import Edition
from collab.movielens.layouts import Member, layout_of

CHUNK = 1 << 20


@dataclass(frozen=True)
class Members:
    """The members of an archive, zipped or unpacked; places: a member's name -> where it lies."""

    path: Path
    places: dict[str, str]

    @classmethod
    def of(cls, path: Path, edition: Edition) -> "Members":
        """Those of an edition.

        Raises:
            CollabError: one is missing.
        """
        return cls(path, members_in(path, edition))

    def __contains__(self, member: Member) -> bool:
        """Whether it is there, which only files of folds may not be."""
        return member.name in self.places

    def opened(self, member: Member) -> AbstractContextManager[IO[bytes]]:
        """One of them, for reading."""
        return opened(self.path, self.places[member.name])

    def as_file(self, member: Member) -> AbstractContextManager[Path]:
        """One of them under a name that can be opened and read once."""
        return as_file(self.path, self.places[member.name])


def members_in(path: Path, edition: Edition) -> dict[str, str]:
    """Where each member needed lies: its name -> its path inside the zip or the folder.

    Members stand below the edition's folder, or at the top. Files of folds are there or not.

    Raises:
        CollabError: one is missing.
    """
    if path.is_dir():
        names = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    else:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    found, layout = {}, layout_of(edition)
    for member in (*layout.members, *layout.folds):
        places = (f"{edition.folder}/{member.name}", member.name)
        place = next((place for place in places if place in names), None)
        if place is None and member in layout.folds:
            continue
        if place is None:
            raise CollabError(
                f"{path} has no {places[0]}, which {edition.name} consists of. "
                f"Is it another edition's archive? It holds {_some(sorted(names))}."
            )
        found[member.name] = place
    return found


def _some(names: list[str]) -> str:
    """A few names of a list, for an error."""
    return (", ".join(names[:5]) + (", …" if len(names) > 5 else "")) or "nothing"


@contextmanager
def opened(path: Path, place: str) -> Iterator[IO[bytes]]:
    """A member of a zip or of an unpacked folder, for reading.

    Raises:
        CollabError: it is damaged.
    """
    if path.is_dir():
        with (path / place).open("rb") as file:
            yield file
        return
    try:
        with zipfile.ZipFile(path) as archive, archive.open(place) as member:
            yield member
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise CollabError(f"{path}: {place} is damaged ({error}). Fetch it again.") from error


@contextmanager
def as_file(path: Path, place: str) -> Iterator[Path]:
    """A member under a name that can be opened and read once.

    Of a zip that is a pipe which a thread fills: nothing is unpacked to the disk, and what reads it
    works while the next part is inflated.

    Raises:
        CollabError: the member is damaged; whatever its reader made of the rest.
    """
    if path.is_dir():
        yield path / place
        return
    read, write = os.pipe()
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        fed = pool.submit(feed, path, place, write, stop)
        try:
            yield Path(f"/dev/fd/{read}")
        finally:
            stop.set()
            while os.read(read, CHUNK):  # a reader that gave up leaves the thread at a full pipe
                pass
            os.close(read)
            fed.result()


def feed(path: Path, place: str, write: int, stop: threading.Event) -> None:
    """Write a member to a pipe until its end, or until nobody wants more; then close the pipe."""
    with os.fdopen(write, "wb") as target, opened(path, place) as source:
        while not stop.is_set() and (chunk := source.read(CHUNK)):
            target.write(chunk)
