"""The data folder is refused before anything is done where it cannot be written."""

import re
from pathlib import Path

import pytest

from collab.base.database import open_database, read_parquet
from collab.base.errors import CollabError
from collab.base.paths import data_dir, given_path, writable_data_dir


def test_the_data_folder_is_made_and_nothing_in_it(tmp_path: Path) -> None:
    data = writable_data_dir(tmp_path / "a" / "data")
    assert list(data.root.iterdir()) == []


@pytest.mark.parametrize("name", ["raw", "lake", "datasets", "runs", "serve"])
def test_a_folder_below_it_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()  # root may write any folder, but nothing into a file
    said = re.escape(f"The data folder {tmp_path / name} cannot be written (")
    with pytest.raises(CollabError, match=said):
        writable_data_dir(tmp_path)


def test_folders_that_can_be_written_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    writable_data_dir(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["raw"]


@pytest.mark.parametrize("how", ["given", "variable"])
def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("COLLAB_DATA_DIR", "~/ml")
    found = data_dir(Path("~/ml") if how == "given" else None)
    assert found.root == Path("/home/me/ml")


def test_a_home_folder_that_is_none_is_named() -> None:
    with pytest.raises(CollabError, match="~nobody-of-that-name/x: there is no such home folder"):
        given_path("~nobody-of-that-name/x")


@pytest.mark.parametrize("character", ["?", "\\", "\n", "\t", "\x1b", "\udce9"])
def test_a_folder_that_duckdb_cannot_open_is_refused(tmp_path: Path, character: str) -> None:
    with pytest.raises(CollabError) as caught:
        data_dir(tmp_path / f"what{character}" / "data")
    (line,) = str(caught.value).splitlines()
    assert f"has {character!r} in its path, which DuckDB cannot open; name one without" in line


@pytest.mark.parametrize(
    ("name", "neighbour"),
    [("work [x]", "work x"), ("a*", "ab"), ("**", "b"), ("day=3", "day"), ("it's {a,b} %20#", "c")],
)
def test_a_file_is_read_and_not_what_its_path_would_match(
    tmp_path: Path, name: str, neighbour: str
) -> None:
    data = data_dir(tmp_path / name)
    for number, folder in enumerate([tmp_path / neighbour, data.root]):
        folder.mkdir()
        with open_database(folder / "a.duckdb") as con:
            con.sql(f"SELECT {number} AS n").write_parquet(str(folder / "a.parquet"))
            assert con.sql(f"FROM {read_parquet(folder / 'a.parquet')}").fetchall() == [(number,)]
