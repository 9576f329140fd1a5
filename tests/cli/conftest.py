"""The command line's own publication, made by hand."""

from pathlib import Path

import pytest

from collab.base.paths import DataDir
from tests.cli.served import serve_by_hand


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help is as wide as a terminal of 80 columns, whatever the tests are run in."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """A data folder with one edition published, for tests that only read it."""
    data = DataDir(tmp_path_factory.mktemp("served") / "data")
    serve_by_hand(data.serve)
    return data


@pytest.fixture
def data_dir(served: DataDir, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as the data folder of the environment."""
    monkeypatch.setenv("COLLAB_DATA_DIR", str(served.root))
    return served.root
