"""One stack for all scenarios, and archives small and large enough for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.events.worker import EventsWorker

from collab.base.paths import DataDir
from collab.movielens.editions import ML_100K
from tests.archives import FIRST_TS, Planted, movie_title, write_archive
from tests.scenarios.stack import Stack

TWO = ["dot_product_bias_wd", "embedding_nn"]


@pytest.fixture(scope="session")
def _stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.end()


@pytest.fixture
def stack(_stack: Stack) -> Iterator[Stack]:
    """The session's stack, this process talking to its server; all parts live."""
    if _stack.server.poll() is not None:
        _stack.start_server()
    if _stack.worker.poll() is not None:
        _stack.start_worker()
    EventsWorker.drain_all(
        timeout=30, at_exit=False
    )  # what is there tells an earlier test's server
    with _stack.settings():
        yield _stack


@pytest.fixture
def quick(planted_zip: Path, data: DataDir) -> dict[str, Any]:
    """Parameters of a pipeline that takes seconds."""
    return parameters(planted_zip, data, epochs=1)


@pytest.fixture(scope="session")
def large_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted archive on which an epoch takes about a second."""
    pairs = [(u, m) for m in range(1, 201) for u in range(1, 301) if (u + 3 * m) % 5]
    ratings = [
        (u, m, 5.0 if u % 2 == m % 2 else 1.0, FIRST_TS + n) for n, (u, m) in enumerate(pairs)
    ]
    movies = [(m, movie_title(m % 40) + f" {m}", ["Drama"]) for m in range(1, 201)]
    folder = tmp_path_factory.mktemp("large")
    return write_archive(folder / "large.zip", ML_100K, Planted(ratings, movies))


@pytest.fixture
def long(large_zip: Path, data: DataDir) -> dict[str, Any]:
    """Parameters of a pipeline in which there is time to kill something."""
    return parameters(large_zip, data, epochs=12)


def parameters(archive: Path, data: DataDir, epochs: int) -> dict[str, Any]:
    """What the deployment `pipeline` is run with: quickly, so it is not the declared set."""
    return {
        "override": True,
        "archive": str(archive),
        "trust_archive": True,
        "data_dir": str(data.root),
        "variants": TWO,
        "epochs": epochs,
        "splits": [42],
        "device": "cpu",
    }


def only_data(given: dict[str, Any]) -> dict[str, Any]:
    """Those of the pipeline's parameters that `ingest` has."""
    return {name: given[name] for name in ("archive", "trust_archive", "data_dir")}
