"""An edition that changes is asked for a new release; the others are not, nor what is down."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab.base.files import sha256_file
from collab.base.paths import DataDir
from collab.movielens import sources
from collab.movielens.download import SourceError, download
from collab.movielens.editions import EDITIONS, ML_LATEST
from collab.movielens.sources import find_archive
from tests.archives import Planted, planted, write_archive
from tests.movielens.mirror import Mirror, serving

NAME = ML_LATEST.file_name


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror; GroupLens is down."""

    def only_here(url: str, into: Path) -> None:
        if not url.startswith("http://127.0.0.1"):
            raise SourceError("no route to host")
        download(url, into, pause=lambda seconds: None)

    monkeypatch.setattr(sources, "download", only_here)
    folder = tmp_path / "mirror"
    folder.mkdir()
    with serving(folder) as mirror:
        monkeypatch.setenv("MOVIELENS_MIRROR", mirror.url)
        yield mirror


@pytest.fixture
def releases(tmp_path: Path) -> list[Path]:
    """Two releases of ml-latest, the second with fewer ratings."""
    rows = planted()
    fewer = Planted(rows.ratings[:-1], rows.movies)
    return [
        write_archive(tmp_path / f"{number}.zip", ML_LATEST, each)
        for number, each in enumerate((rows, fewer))
    ]


def test_a_new_release_is_fetched_and_the_same_is_not(
    mirror: Mirror, releases: list[Path], data: DataDir
) -> None:
    for release in releases:
        mirror.release(release, NAME)
        mirror.asked.clear()
        assert find_archive(ML_LATEST, data).fetched_now
        assert mirror.asked[-2:] == [f"/{NAME}.md5", f"/{NAME}"]
        mirror.asked.clear()
        again = find_archive(ML_LATEST, data)
        assert (again.fetched_now, again.sha256) == (False, sha256_file(release))
        assert mirror.asked == [f"/{NAME}.md5"]
    kept = {path.name for path in (data.raw / "ml-latest").iterdir()}
    assert kept == {NAME, "source.json"}


def test_a_sidecar_that_is_none_changes_nothing(
    mirror: Mirror, releases: list[Path], data: DataDir, caplog: pytest.LogCaptureFixture
) -> None:
    """The first is the same release as another program writes it, the others a broken mirror."""
    md5 = mirror.release(releases[0], NAME)
    find_archive(ML_LATEST, data)
    caplog.clear()
    sidecar, archive = mirror.folder / f"{NAME}.md5", mirror.folder / NAME
    sidecar.write_text(f"MD5 ({NAME}) = {md5.upper()}\n")
    assert not find_archive(ML_LATEST, data).fetched_now
    assert caplog.text == ""
    archive.write_text("<html>Log in</html>")
    for text in (md5[:20], "", f"<html>{'a' * 32}</html>"):
        sidecar.write_text(text)
        kept = find_archive(ML_LATEST, data)
        assert (kept.fetched_now, kept.sha256) == (False, sha256_file(releases[0]))
    assert caplog.text.count("holds no checksum") == 2
    assert "is an HTML page, not a zip" in caplog.text
    mirror.release(releases[1], NAME)
    assert find_archive(ML_LATEST, data).sha256 == sha256_file(releases[1])


def test_where_nobody_answers_the_copy_is_used(
    mirror: Mirror, releases: list[Path], data: DataDir, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.release(releases[0], NAME)
    find_archive(ML_LATEST, data)
    (mirror.folder / f"{NAME}.md5").unlink()
    with caplog.at_level(logging.WARNING):
        assert not find_archive(ML_LATEST, data).fetched_now
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    first, second = warnings
    assert first == f"{mirror.url}/{NAME}.md5 could not be asked for a new release: it answered 404"
    assert "files.grouplens.org" in second


def test_where_the_new_release_cannot_be_had_the_copy_is_used(
    mirror: Mirror, releases: list[Path], data: DataDir, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.release(releases[0], NAME)
    find_archive(ML_LATEST, data)
    mirror.release(releases[1], NAME)
    (mirror.folder / NAME).unlink()
    with caplog.at_level(logging.WARNING):
        kept = find_archive(ML_LATEST, data)
    assert (kept.fetched_now, kept.sha256) == (False, sha256_file(releases[0]))
    assert "The new ml-latest cannot be had; the copy of" in caplog.text
    mirror.release(releases[1], NAME)
    assert find_archive(ML_LATEST, data).sha256 == sha256_file(releases[1])


def test_only_what_has_no_published_checksum_changes() -> None:
    assert [name for name, edition in EDITIONS.items() if edition.changes] == ["ml-latest"]
