"""What cannot be read as a zip is named as what it is, in one line that says what to do."""

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from collab.base.errors import CollabError, TransientError
from collab.movielens.archive import verify
from collab.movielens.editions import ML_1M, ML_100K, ML_LATEST_SMALL, Edition
from tests.archives import patched, write_archive


def one_line(path: Path, edition: Edition = ML_1M) -> str:
    """Why an archive is refused: one line, and nothing that another attempt would mend."""
    with pytest.raises(CollabError) as caught:
        verify(path, edition, trust=True)
    assert not isinstance(caught.value, TransientError)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.parametrize("edition", [ML_1M, ML_100K, ML_LATEST_SMALL], ids=lambda e: e.name)
def test_an_encrypted_zip(tmp_path: Path, edition: Edition) -> None:
    said = one_line(patched(write_archive(tmp_path / "a.zip", edition), 6, 8, 1), edition)
    assert f"a.zip: {edition.folder}/" in said
    assert "is encrypted. Unzip it with its password and give the folder: --archive" in said


@pytest.mark.parametrize(
    ("method", "named"),
    [(9, "method 9, Deflate64"), (93, "method 93, zstd"), (77, "method 77:"), (99, "99, AES")],
)
def test_a_method_that_is_not_known(tmp_path: Path, method: int, named: str) -> None:
    said = one_line(patched(write_archive(tmp_path / "a.zip", ML_1M), 8, 10, method))
    assert "a.zip: ml-1m/ratings.dat is compressed in a way that is not known here" in said
    assert named in said
    assert "give the folder: --archive FOLDER" in said


@pytest.mark.parametrize("flags", [0x20, 0x41])
def test_patched_data_and_strong_encryption(tmp_path: Path, flags: int) -> None:
    said = one_line(patched(write_archive(tmp_path / "a.zip", ML_1M), 6, 8, flags))
    assert "give the folder: --archive FOLDER" in said


def test_a_version_that_is_not_known(tmp_path: Path) -> None:
    path = patched(write_archive(tmp_path / "a.zip", ML_1M), 4, 6, 99)
    assert "zip file version 9.9" in one_line(path)


@pytest.mark.parametrize("method", [0, 12, 14], ids=["stored", "bzip2", "lzma"])
def test_content_of_another_method_than_the_header_says(tmp_path: Path, method: int) -> None:
    # read to its end, as the sums of ml-100k's members are
    said = one_line(patched(write_archive(tmp_path / "a.zip", ML_100K), 8, 10, method), ML_100K)
    assert "a.zip: ml-100k/u.data is damaged (" in said
    assert "Fetch it again" in said


def test_a_bad_checksum_and_a_bad_header(tmp_path: Path) -> None:
    path = patched(write_archive(tmp_path / "a.zip", ML_100K), 14, 16, 0)
    assert " is damaged (Bad CRC-32" in one_line(path, ML_100K)
    path = write_archive(tmp_path / "b.zip", ML_100K)
    path.write_bytes(b"XXXX" + path.read_bytes()[4:])
    assert "u.data is damaged (Bad magic number for file header)" in one_line(path, ML_100K)


def tar() -> bytes:
    """A tar with a file in it."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("ml-1m/ratings.dat"))
    return whole.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("tar", tar),
        ("gzip", lambda: gzip.compress(tar())),
        ("bzip2", lambda: bz2.compress(tar())),
        ("xz", lambda: lzma.compress(tar())),
        ("zstd", lambda: b"\x28\xb5\x2f\xfd\x20\x00"),
        ("7z", lambda: b"7z\xbc\xaf\x27\x1c\x00\x04"),
        ("rar", lambda: b"Rar!\x1a\x07\x01\x00"),
    ],
)
def test_another_kind_of_archive(tmp_path: Path, kind: str, content: Callable[[], bytes]) -> None:
    path = tmp_path / "ml-1m.zip"
    path.write_bytes(content())
    said = one_line(path)
    assert f"ml-1m.zip is a {kind} archive, not a zip. Unpack it" in said
    assert "give the folder: --archive FOLDER" in said


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.zip").touch()
    assert "a.zip is empty. Delete it and fetch it again" in one_line(tmp_path / "a.zip")


def test_the_folder_that_the_messages_advise_is_taken(tmp_path: Path) -> None:
    shutil.unpack_archive(write_archive(tmp_path / "a.zip", ML_1M), tmp_path)
    for folder in (tmp_path, tmp_path / "ml-1m"):
        assert "only its counts were compared" in verify(folder, ML_1M, trust=False).warnings[0]
