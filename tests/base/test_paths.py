"""The data folder is refused before anything is done where it cannot be written."""

import re
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.base.paths import writable_data_dir


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
