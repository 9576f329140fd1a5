"""Editions live side by side: none replaces another, whatever is published or rolled back."""

import os
from pathlib import Path

import pytest

import collab
from collab.base.errors import CollabError
from collab.base.files import read_json
from collab.base.paths import DataDir
from collab.release.links import flip, show_report
from collab.release.rollback import roll_back
from tests.release.tiny import publish, served, the_number

NAMES = ("movielens.duckdb", "parquet", "latest.json")


def serve_one(data: DataDir, edition: str, number: int) -> None:
    """Publish a number of an edition, with a report."""
    snapshot = publish(data.serve / edition, number, edition=edition)
    (snapshot.folder / "report.html").write_text(f"{edition} {number}")
    show_report(data.serve / edition, snapshot.folder)


def asked(data: DataDir, edition: str | None = None) -> int:
    """The number that `collab.connect` sees."""
    with collab.connect(data.root, edition) as con:
        return the_number(con)


def leads_to(data: DataDir) -> set[str]:
    """The editions that the links of `serve` itself lead to."""
    links = [path for path in data.serve.iterdir() if path.is_symlink()]
    assert {path.name for path in links} == {*NAMES, "report.html"}
    return {path.readlink().parts[0] for path in links}


def test_the_only_edition_stands_at_the_top(data: DataDir) -> None:
    serve_one(data, "ml-100k", 1)
    assert leads_to(data) == {"ml-100k"}
    assert served(data.serve) == asked(data) == 1
    assert read_json(data.serve / "latest.json")["edition"] == "ml-100k"
    assert (data.serve / "report.html").read_text() == "ml-100k 1"
    serve_one(data, "ml-100k", 2)
    assert served(data.serve) == asked(data) == 2
    assert (data.serve / "report.html").read_text() == "ml-100k 2"


def test_a_second_edition_replaces_nothing(data: DataDir) -> None:
    serve_one(data, "ml-100k", 1)
    serve_one(data, "ml-1m", 50)
    assert leads_to(data) == {"ml-100k"}, "the top stays put until somebody chooses"
    assert served(data.serve) == 1
    assert (asked(data, "ml-100k"), asked(data, "ml-1m")) == (1, 50)
    with pytest.raises(CollabError, match="ml-100k, ml-1m"):
        asked(data)
    for number in (2, 3):
        serve_one(data, "ml-100k", number)
    assert (asked(data, "ml-100k"), asked(data, "ml-1m")) == (3, 50)
    numbers = {edition: sorted(p.name for p in (data.serve / edition / "snapshots").iterdir())
               for edition in ("ml-100k", "ml-1m")}  # fmt: skip
    assert numbers == {"ml-100k": ["000001", "000002", "000003"], "ml-1m": ["000001"]}


@pytest.mark.parametrize("again", ["publish", "flip", "report", "rollback"])
def test_the_top_follows_the_environment(
    data: DataDir, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    serve_one(data, "ml-100k", 1)
    serve_one(data, "ml-1m", 50)
    monkeypatch.setenv("COLLAB_EDITION", "ml-1m")
    folder = data.serve / "ml-1m" / "snapshots" / "000001"
    if again == "publish":
        serve_one(data, "ml-100k", 2)
    elif again == "flip":  # as when what is published is found in place
        flip(data.serve / "ml-1m", folder)
    elif again == "report":
        show_report(data.serve / "ml-1m", folder)
    else:
        roll_back(data.serve / "ml-1m", 1)
    assert leads_to(data) == {"ml-1m"}
    assert served(data.serve) == asked(data) == 50
    assert (data.serve / "report.html").read_text() == "ml-1m 50"


def test_an_edition_of_the_environment_that_is_not_served_changes_nothing(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLAB_EDITION", "ml-1m")
    serve_one(data, "ml-100k", 1)
    assert leads_to(data) == {"ml-100k"}
    serve_one(data, "ml-1m", 50)
    assert leads_to(data) == {"ml-1m"}


def test_rollback_is_of_one_edition(data: DataDir) -> None:
    for number in (1, 2):
        serve_one(data, "ml-100k", number)
        serve_one(data, "ml-1m", 10 * number)
    roll_back(data.serve / "ml-100k", 1)
    assert (asked(data, "ml-100k"), asked(data, "ml-1m")) == (1, 20)
    assert (data.serve / "ml-100k" / "report.html").read_text() == "ml-100k 1"
    assert not list((data.serve / "ml-1m").rglob("withdrawn.json"))


def test_the_data_folder_may_be_moved(data: DataDir, tmp_path: Path) -> None:
    serve_one(data, "ml-100k", 1)
    moved = DataDir(data.root.rename(tmp_path / "moved"))
    assert served(moved.serve) == asked(moved) == 1
    for link in moved.serve.rglob("*"):
        if link.is_symlink():
            assert not os.readlink(link).startswith("/"), link  # noqa: PTH115
