"""Lakes of planted archives, for the tests of datasets."""

from collections.abc import Callable
from pathlib import Path

import pytest

from collab.base.paths import DataDir
from collab.lake import Manifest, ingest
from collab.movielens.editions import ML_100K, ML_LATEST_SMALL, Edition
from collab.movielens.sources import find_archive
from tests.archives import Planted, fold_files, planted, write_archive

TakeIn = Callable[..., Manifest]


@pytest.fixture
def take_in(data: DataDir, tmp_path: Path) -> TakeIn:
    """Takes in planted rows as an edition, by default ml-100k."""

    def take(
        rows: Planted, edition: Edition = ML_100K, changed: dict[str, str] | None = None
    ) -> Manifest:
        archive = write_archive(tmp_path / "a.zip", edition, rows, changed)
        source = find_archive(edition, data, archive=archive, trust=True)
        return ingest(source, data)[0]

    return take


@pytest.fixture(scope="session")
def folded_lake(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The planted archive with the files of ml-100k's folds."""
    return lake_of(tmp_path_factory.mktemp("folds"), ML_100K, fold_files(planted()))


@pytest.fixture(scope="session")
def csv_lake(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The planted rows as an edition without folds, users' columns and merged titles."""
    return lake_of(tmp_path_factory.mktemp("csv"), ML_LATEST_SMALL, {})


def lake_of(folder: Path, edition: Edition, changed: dict[str, str]) -> Manifest:
    """The lake of the planted rows."""
    archive = write_archive(folder / "a.zip", edition, planted(), changed)
    data = DataDir(folder / "data")
    return ingest(find_archive(edition, data, archive=archive, trust=True), data)[0]
