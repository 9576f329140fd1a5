"""An archive, zipped or unpacked: is it safe, is it the right one, where are its members."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from collab.base.errors import CollabError
from collab.base.files import sha256_file
from collab.base.fingerprint import fingerprint
from collab.movielens.editions import Edition
from collab.movielens.formats import check_zip
from collab.movielens.members import opened
from collab.movielens.places import members_in

REMEDY = "Fetch it again, or pass --trust-archive if it is a cut-down archive of your own."


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What verification found: the key of the content, and every check that was not passed."""

    sha256: str
    warnings: tuple[str, ...]


def verify(path: Path, edition: Edition, *, trust: bool, md5: str | None = None) -> Verified:
    """Compare an archive with what is published about its edition.

    The archive's own checksum decides; where it differs, the checksums of the members that are
    known one by one do.

    Args:
        path: a zip or an unpacked folder.
        edition: what it should be.
        trust: report a difference as a warning instead of refusing it.
        md5: the checksum of a sidecar, for an edition whose own is not known.

    Raises:
        CollabError: it is unsafe, incomplete, or not what was published.
    """
    if not path.is_dir():
        check_zip(path)
        if not trust:
            refuse_size(path, edition)
    places = members_in(path, edition)
    for place in places.values():  # what cannot be inflated is said before anything is summed up
        with opened(path, place) as file:
            file.read(1)
    key = sha256_file(path) if path.is_file() else folder_sha256(path, places)
    # the same members have the same key, however they were zipped
    published_key = fingerprint(**edition.members) if edition.members else key
    if path.is_file() and _is_published(path, edition, key, md5):
        return Verified(sha256=published_key, warnings=())
    if edition.members and not (wrong := wrong_members(path, edition, places)):
        how = "an unpacked folder" if path.is_dir() else "zipped anew"
        warning = f"{edition.name} is {how}; it was accepted by the checksums of its members."
        return Verified(sha256=published_key, warnings=(warning,))
    if edition.members:
        difference = f"{path}: {', '.join(wrong)} differs from the published {edition.name}."
    elif path.is_dir() or not (edition.sha256 or md5):
        warning = f"{path}: there is no published checksum for it; only its counts were compared."
        return Verified(sha256=key, warnings=(warning,))
    else:
        found, expected = (key, edition.sha256) if edition.sha256 else (md5_file(path), md5)
        difference = f"{path} has the checksum {found[:16]}…, expected {str(expected)[:16]}…."
    if not trust:
        raise CollabError(f"{difference} {REMEDY}")
    return Verified(sha256=key, warnings=(f"{difference} Accepted because of --trust-archive.",))


def refuse_size(path: Path, edition: Edition) -> None:
    """Stop at a size that is not the published one, before a large file is read whole.

    A zip whose members are known one by one may be of any size: it may have been zipped anew.

    Raises:
        CollabError: names both sizes.
    """
    found = path.stat().st_size
    if edition.size is not None and found != edition.size and not edition.members:
        raise CollabError(
            f"{path} has {found} bytes, expected the {edition.size} of the published "
            f"{edition.name}. {REMEDY}"
        )


def folder_sha256(path: Path, places: dict[str, str]) -> str:
    """The key of an unpacked folder: sha256 over its members' sums."""
    return fingerprint(**{name: sha256_file(path / place) for name, place in places.items()})


def _is_published(path: Path, edition: Edition, key: str, md5: str | None) -> bool:
    """Whether a zip is, byte for byte, the published one."""
    if edition.sha256:
        return key == edition.sha256
    return md5 is not None and md5 == md5_file(path)


def md5_file(path: Path) -> str:
    """Hex md5 of a file, for an archive of which nothing else is published."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def wrong_members(path: Path, edition: Edition, places: dict[str, str]) -> list[str]:
    """The members whose published checksum theirs is not."""
    return [
        name
        for name, expected in edition.members.items()
        if member_sha256(path, places[name]) != expected
    ]


def member_sha256(path: Path, place: str) -> str:
    """Hex sha256 of a member's content."""
    with opened(path, place) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
