"""Members: where they lie, and the pipe their text comes through."""

import threading
import zipfile
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.movielens.editions import ML_1M, ML_32M
from collab.movielens.layouts import layout_of
from collab.movielens.members import CHUNK, Members
from tests.archives import members, planted, write_archive

RATINGS = layout_of(ML_32M).ratings


def long_archive(folder: Path) -> Path:
    """Ratings of several chunks."""
    text = "userId,movieId,rating,timestamp\n" + "1,1,4.0,880000000\n" * (3 * CHUNK // 18)
    return write_archive(folder / "long.zip", ML_32M, changed={"ratings.csv": text})


def test_the_pipe_gives_each_member_to_its_last_byte(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_32M, changed={"tags.csv": "x"})
    found = Members.of(path, ML_32M)
    assert sorted(found.places) == ["movies.csv", "ratings.csv"]
    for member in layout_of(ML_32M).members:
        with found.as_file(member) as file:
            assert file.read_text(encoding="utf-8") == members(ML_32M, planted())[member.name]


def test_a_long_member_comes_whole(tmp_path: Path) -> None:
    found = Members.of(long_archive(tmp_path), ML_32M)
    with found.opened(RATINGS) as file:
        expected = file.read()
    assert len(expected) > 2 * CHUNK
    with found.as_file(RATINGS) as piped:
        assert piped.read_bytes() == expected


def test_an_unpacked_member_is_read_where_it_lies(tmp_path: Path) -> None:
    zipfile.ZipFile(write_archive(tmp_path / "a.zip", ML_32M)).extractall(tmp_path)
    with Members.of(tmp_path, ML_32M).as_file(RATINGS) as file:
        assert file == tmp_path / "ml-32m" / "ratings.csv"


@pytest.mark.parametrize("taken", [0, 10, 2 * CHUNK])
def test_a_reader_may_stop_anywhere(tmp_path: Path, taken: int) -> None:
    before = threading.active_count()
    with Members.of(long_archive(tmp_path), ML_32M).as_file(RATINGS) as file:
        if taken:
            with file.open("rb") as stream:
                assert len(stream.read(taken)) == taken
    assert threading.active_count() == before


def test_what_stopped_the_reader_is_what_is_said(tmp_path: Path) -> None:
    found = Members.of(long_archive(tmp_path), ML_32M)
    with pytest.raises(ValueError, match="its own"), found.as_file(RATINGS):
        raise ValueError("its own reason")


def test_a_damaged_member_is_refused_whatever_its_reader_made_of_it(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", ML_1M)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("ml-1m/ratings.dat").header_offset
    content = bytearray(path.read_bytes())
    content[start + 200 : start + 220] = b"\0" * 20
    path.write_bytes(content)
    ratings = layout_of(ML_1M).ratings
    for reader in (Path.read_bytes, lambda file: 1 / len(file.read_bytes()[:0])):
        with (
            pytest.raises(CollabError, match=r"ratings\.dat is damaged"),
            Members.of(path, ML_1M).as_file(ratings) as file,
        ):
            reader(file)
