"""An archive is known by its members, whatever the folder above them is called."""

import zipfile
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.movielens.editions import ML_1M, ML_25M, ML_100K, ML_LATEST, Edition
from collab.movielens.members import Members, opened
from collab.movielens.places import members_in
from tests.archives import fold_files, members, planted

MEMBERS = ("u.data", "u.item", "u.user")


def packed(path: Path, *prefixes: str, edition: Edition = ML_100K) -> Path:
    """A zip with an edition's members after each prefix, and files that are none of them."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/._u.data", "x")
        for prefix in prefixes:
            archive.writestr(zipfile.ZipInfo(f"{prefix}README"), "x")
            for name, text in members(edition, planted()).items():
                archive.writestr(zipfile.ZipInfo(prefix + name), text.encode())
    return path


@pytest.mark.parametrize(
    "prefix",
    ["ml-100k/", "", "ml-100k\\", "./ml-100k/", "./", ".\\", "ml-100k (1)/", "ML-100K/",
     "home/me/ml-100k/", "home/me/movies of mine/", "data\\ml-100k\\"],
)  # fmt: skip
def test_wherever_the_members_lie(tmp_path: Path, prefix: str) -> None:
    path = packed(tmp_path / "a.zip", prefix)
    places = members_in(path, ML_100K)
    assert places == {name: prefix + name for name in MEMBERS}
    for name, place in places.items():
        with opened(path, place) as file:
            assert file.read().decode() == members(ML_100K, planted())[name]


def test_names_in_capitals(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in MEMBERS:
            archive.writestr(f"X/{name.upper()}", "x")
    assert members_in(tmp_path / "a.zip", ML_100K) == {n: f"X/{n.upper()}" for n in MEMBERS}


def test_folds_are_those_beside_the_ratings(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", "mine/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/u1.test", "x")
        archive.writestr("mine/u2.test", fold_files(planted())["u2.test"])
    assert set(Members.of(path, ML_100K).places) == {*MEMBERS, "u2.test"}


def test_the_edition_s_own_folder_comes_first(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", "copy/", "ml-100k/", "old/")
    assert members_in(path, ML_100K)["u.data"] == "ml-100k/u.data"
    path = packed(tmp_path / "b.zip", "copy/", "here/ml-100k/")
    assert members_in(path, ML_100K)["u.data"] == "here/ml-100k/u.data"


def test_two_folders_that_might_be_meant_are_named(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", "copy/", "old/")
    with pytest.raises(CollabError, match=r"ml-100k in several folders: copy, old\..*--archive"):
        members_in(path, ML_100K)


def test_another_edition_of_the_same_layout_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", "ml-25m/", edition=ML_25M)
    said = r"has no ml-latest/ratings\.csv.*another edition's archive\? It holds .*ml-25m/README"
    with pytest.raises(CollabError, match=said):
        members_in(path, ML_LATEST)


def test_members_of_several_folders_are_not_mixed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/ratings.dat", "x")
        archive.writestr("a/users.dat", "x")
        archive.writestr("b/movies.dat", "x")
    with pytest.raises(CollabError, match=r"has no ml-1m/movies\.dat"):
        members_in(tmp_path / "a.zip", ML_1M)
