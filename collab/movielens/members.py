"""The members of an archive: where they lie, and how their text is had."""

import os
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from collab.movielens.editions import Edition
from collab.movielens.formats import UNREADABLE, unreadable
from collab.movielens.layouts import Member
from collab.movielens.places import members_in

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


@contextmanager
def opened(path: Path, place: str) -> Iterator[IO[bytes]]:
    """A member of a zip or of an unpacked folder, for reading.

    Raises:
        CollabError: it is damaged, encrypted, or compressed in a way that is not known.
    """
    if path.is_dir():
        with (path / place).open("rb") as file:
            yield file
        return
    info = None
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(place)
            with archive.open(info) as member:
                yield member
    except UNREADABLE as error:
        raise unreadable(path, info, error) from error


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
