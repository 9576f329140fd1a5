"""`make serve`: a hard stop of all of it, and the death of its worker alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import automations
from deploy.orphans import GONE
from tests.scenarios.conftest import parameters
from tests.scenarios.served import Served
from tests.scenarios.stack import having, kill, wait_for

pytestmark = pytest.mark.slow

CHILD = "collab.runs.child"
WORKER = "worker start"
PIPELINE = "pipeline/pipeline"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Nothing of it is left at the end."""
    with Served(tmp_path).running() as served:
        yield served


def test_after_a_hard_stop_the_next_run_is_not_blocked(served: Served, large_zip: Path) -> None:
    """Server, worker, flow and children killed together: the limit is free at the next start."""
    assert automations.main(["--heartbeat", "3600"]) == 0  # which would find it out too
    long = parameters(large_zip, served.data, epochs=12)
    run = served.run(PIPELINE, **long)
    wait_for(lambda: having(CHILD, served.left()), 240)
    served.kill()
    served.start()
    assert f"Crashed: ml-100k, dot_product_bias_wd embedding_nn, seed 42 ({run})" in served.printed
    assert served.state(run) == ("Crashed", GONE)
    again = served.run(PIPELINE, **{**long, "epochs": 1})
    assert served.ended(again)[0] == "Completed"


def test_a_flow_that_is_asked_to_end_does_so_at_once_and_says_why(
    served: Served, large_zip: Path
) -> None:
    """SIGTERM: not killed six seconds later, which reads as a lack of memory."""
    run = served.run(PIPELINE, **parameters(large_zip, served.data, epochs=200))
    wait_for(lambda: having(CHILD, served.left()), 240)
    for engine in having("prefect.engine", served.left()):
        engine.terminate()
    name, message = served.ended(run)
    assert name == "Crashed"
    assert "termination signal" in message
    wait_for(lambda: not served.left(), 30)


def test_where_the_worker_died_serve_leaves_nothing_behind(served: Served, large_zip: Path) -> None:
    served.run(PIPELINE, **parameters(large_zip, served.data, epochs=200))
    wait_for(lambda: having(CHILD, served.left()), 240)
    everything = served.all()
    kill(*having(WORKER, everything))
    assert served.process
    assert served.process.wait(60) == 1
    assert served.left() == []
    assert not [process for process in everything if process.is_running()]
