"""Which edition's publication is meant."""

from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.base.serving import choose_edition, edition_folder, published_folders, served_editions


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    monkeypatch.delenv("COLLAB_EDITION", raising=False)
    return DataDir(tmp_path)


def serve(data: DataDir, edition: str) -> None:
    """Something published of an edition."""
    (data.serve / edition / "snapshots" / "000001").mkdir(parents=True)
    (data.serve / edition / "current").symlink_to("snapshots/000001")


def serve_as_before(data: DataDir, record: str) -> None:
    """What an older version left: one edition, in `serve` itself."""
    (data.serve / "snapshots" / "000001").mkdir(parents=True)
    (data.serve / "snapshots" / "000001" / "movielens.duckdb").touch()
    (data.serve / "current").symlink_to("snapshots/000001")
    (data.serve / "movielens.duckdb").symlink_to("current/movielens.duckdb")
    (data.serve / "latest.json").write_text(record)


def test_the_only_one_needs_no_name(data: DataDir) -> None:
    serve(data, "ml-1m")
    assert choose_edition(data) == "ml-1m"
    assert edition_folder(data) == data.serve / "ml-1m"


def test_what_is_given_goes_before_the_environment(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(data, "ml-1m")
    serve(data, "ml-100k")
    monkeypatch.setenv("COLLAB_EDITION", "ml-1m")
    assert choose_edition(data) == "ml-1m"
    assert choose_edition(data, "ml-100k") == "ml-100k"


def test_several_and_none_named(data: DataDir) -> None:
    serve(data, "ml-1m")
    serve(data, "ml-100k")
    with pytest.raises(CollabError, match=r"ml-100k, ml-1m\. .*--edition or COLLAB_EDITION"):
        choose_edition(data)


def test_one_that_is_not_published(data: DataDir) -> None:
    serve(data, "ml-1m")
    with pytest.raises(CollabError, match="Did you mean ml-1m"):
        edition_folder(data, "ml-10m")


def test_none(data: DataDir) -> None:
    (data.serve / "ml-1m" / "snapshots").mkdir(parents=True)  # being published for the first time
    assert served_editions(data.serve) == []
    for ask in (choose_edition, edition_folder):
        with pytest.raises(CollabError, match="Nothing is published"):
            ask(data)


def test_what_an_older_version_published(data: DataDir) -> None:
    serve_as_before(data, '{"edition": "ml-100k"}')
    assert served_editions(data.serve) == []
    assert edition_folder(data) == edition_folder(data, "ml-100k") == data.serve
    assert published_folders(data) == [data.serve]
    with pytest.raises(CollabError, match="Known: ml-100k"):
        edition_folder(data, "ml-1m")
    serve(data, "ml-1m")
    assert edition_folder(data) == data.serve / "ml-1m"
    assert published_folders(data) == [data.serve / "ml-1m"]


@pytest.mark.parametrize("record", ["", "[]", "{}"])
def test_an_older_version_that_does_not_say_what(data: DataDir, record: str) -> None:
    serve_as_before(data, record)
    assert edition_folder(data) == data.serve
