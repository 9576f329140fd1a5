"""What the tests of publications share."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import collab
from collab.base.paths import DataDir
from tests.release.planted import Published
from tests.release.tiny import EDITION


@pytest.fixture
def con(published: Published) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, as an analyst opens it."""
    with collab.connect(published.data.root) as con:
        yield con


@pytest.fixture
def serve(data: DataDir) -> Path:
    """Where the tiny publications of an empty data folder are served."""
    return data.serve / EDITION


@pytest.fixture
def mine(published: Published, tmp_path: Path) -> Published:
    """The planted publication in a folder of the test's own, to be changed."""
    return published.copy_to(tmp_path / "mine")
