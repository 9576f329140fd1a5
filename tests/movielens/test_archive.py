"""Archives: safe, complete, the right one."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.base.files import sha256_file
from collab.movielens import archive
from collab.movielens.archive import verify
from collab.movielens.editions import ML_1M, ML_100K, ML_LATEST
from tests.archives import write_archive


def test_the_published_archive_passes_without_a_warning(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_1M)
    edition = replace(ML_1M, size=path.stat().st_size, sha256=sha256_file(path))
    assert verify(path, edition, trust=False).warnings == ()


def test_another_archive_is_refused_and_accepted_on_trust(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_1M)
    edition = replace(ML_1M, size=path.stat().st_size)
    with pytest.raises(CollabError, match="expected a6898adb50b9ca05"):
        verify(path, edition, trust=False)
    (warning,) = verify(path, ML_1M, trust=True).warnings
    assert "--trust-archive" in warning


def test_a_wrong_size_is_said_before_anything_is_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_archive(tmp_path / "a.zip", ML_1M)
    monkeypatch.setattr(archive, "sha256_file", lambda path: pytest.fail("it was read"))
    said = rf"has {path.stat().st_size} bytes, expected the 5917549 of the published ml-1m\..*trust"
    with pytest.raises(CollabError, match=said):
        verify(path, ML_1M, trust=False)


def test_a_repacked_archive_is_known_by_its_members(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_100K)
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(path).extractall(folder)
    sums = {name: sha256_file(folder / "ml-100k" / name) for name in ML_100K.members}
    edition = replace(ML_100K, members=sums)
    repacked, unpacked = (verify(p, edition, trust=False) for p in (path, folder))
    assert "zipped anew" in repacked.warnings[0]
    assert "unpacked folder" in unpacked.warnings[0]
    assert repacked.sha256 == unpacked.sha256


def test_a_changed_member_is_named(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_100K)
    with pytest.raises(CollabError, match=r"u\.data, u\.item, u\.user differs"):
        verify(path, ML_100K, trust=False)


def test_a_sidecar_stands_for_a_checksum_not_known(tmp_path: Path) -> None:
    import hashlib

    path = write_archive(tmp_path / "a.zip", ML_LATEST)
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    assert verify(path, ML_LATEST, trust=False, md5=md5).warnings == ()
    assert "only its counts" in verify(path, ML_LATEST, trust=False).warnings[0]


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_1M)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(CollabError, match=r"not a whole zip.*truncated"):
        verify(path, ML_1M, trust=True)


def test_an_html_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_text("\n<!DOCTYPE html><html><body>Log in</body></html>")
    with pytest.raises(CollabError, match="HTML page"):
        verify(path, ML_1M, trust=True)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../evil", "..\\evil", "C:\\evil"])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = write_archive(tmp_path / "a.zip", ML_1M)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(CollabError, match="leaves the folder"):
        verify(path, ML_1M, trust=True)


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_1M, changed={"movies.dat": None})
    with pytest.raises(CollabError, match=r"has no ml-1m/movies\.dat"):
        verify(path, ML_1M, trust=True)
