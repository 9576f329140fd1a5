"""The command line's own publication, made by hand."""

from pathlib import Path

import pytest

from collab.base.paths import DataDir
from tests.cli.served import serve_by_hand


@pytest.fixture(autouse=True)
def _no_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on what is set outside."""
    for name in ("COLLAB_DATA_DIR", "COLLAB_EDITION", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


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
