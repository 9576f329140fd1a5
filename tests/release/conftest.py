"""What the tests of the published file share."""

from collections.abc import Iterator

import duckdb
import pytest

import collab
from tests.release.planted import Published


@pytest.fixture
def con(published: Published) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, as an analyst opens it."""
    with collab.connect(published.data.root) as con:
        yield con
