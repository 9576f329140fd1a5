"""What several tests share: planted archives, a lake made of one, real ml-100k."""

from pathlib import Path

import pytest
import torch

import flows  # noqa: F401  # Prefect's settings, and a quiet end of the process
from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.lake import Manifest, ingest
from collab.movielens.editions import ML_100K
from collab.movielens.sources import Source, find_archive
from tests.archives import write_archive
from tests.release.planted import Published, publish_planted


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on what is set outside."""
    for name in ("COLLAB_DATA_DIR", "COLLAB_EDITION", "MOVIELENS_MIRROR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Planted data are too small for threads to do anything but wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def planted_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted archive in ml-100k's layout."""
    return write_archive(tmp_path_factory.mktemp("archive") / "planted.zip", ML_100K)


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """An empty data folder."""
    return DataDir(tmp_path / "data")


@pytest.fixture(scope="session")
def planted_data(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """A data folder for tests that only read what the session's fixtures made in it."""
    return DataDir(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def planted_lake(planted_zip: Path, planted_data: DataDir) -> Manifest:
    """The planted archive as Parquet."""
    source = find_archive(ML_100K, planted_data, archive=planted_zip, trust=True)
    manifest, _ = ingest(source, planted_data)
    return manifest


@pytest.fixture(scope="session")
def planted_dataset(planted_lake: Manifest, planted_data: DataDir) -> Dataset:
    """The planted ratings, a random fifth of them apart."""
    dataset, _ = make_dataset(planted_lake, Protocol(split_seed=1), planted_data)
    return dataset


@pytest.fixture(scope="session")
def real_data(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataDir, Source]:
    """ml-100k from the first of its sources that answers; the test is skipped where none does."""
    data = DataDir(tmp_path_factory.mktemp("real"))
    try:
        source = find_archive(ML_100K, data)
    except CollabError as error:
        pytest.skip(f"ml-100k cannot be had: {error}")
    return data, source


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A publication of planted titles and two trained runs, for tests that only read it."""
    return publish_planted(tmp_path_factory.mktemp("published"))


@pytest.fixture
def data_dir(published: Published, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The planted publication as the data folder of the environment."""
    monkeypatch.setenv("COLLAB_DATA_DIR", str(published.data.root))
    return published.data.root
