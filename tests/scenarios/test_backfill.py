"""A backfill that is killed half way and started again."""

from pathlib import Path

import pytest

from collab.base.files import is_whole
from collab.base.paths import DataDir
from collab.movielens.editions import ML_100K
from tests.archives import FIRST_TS, Planted, movie_title, write_archive
from tests.published import query
from tests.scenarios.conftest import parameters
from tests.scenarios.stack import Stack, kill, wait_for
from tests.scenarios.test_recovery import ENDS, ENGINE

pytestmark = pytest.mark.slow

MINUTES_APART = 3
WEEKS = 14


@pytest.fixture
def weeks_zip(tmp_path: Path) -> Path:
    """48,000 planted ratings, one every three minutes for a hundred days."""
    pairs = [(u, m) for u in range(1, 301) for m in range(1, 201) if (u + 3 * m) % 5]
    ratings = [
        (u, m, 5.0 if u % 2 == m % 2 else 1.0, FIRST_TS + 60 * MINUTES_APART * n)
        for n, (u, m) in enumerate(pairs)
    ]
    movies = [(m, movie_title(m % 40) + f" {m}", ["Drama"]) for m in range(1, 201)]
    return write_archive(tmp_path / "weeks.zip", ML_100K, Planted(ratings, movies))


def committed(data: DataDir) -> dict[str, int]:
    """The runs as of a day that stand whole, and when each was made."""
    return {
        file.parent.name: file.stat().st_mtime_ns
        for file in data.runs.glob("*/run.json")
        if '"temporal"' in file.read_text(encoding="utf-8") and is_whole(file.parent)
    }


def test_killed_half_way_it_goes_on_and_repeats_nothing(
    stack: Stack, weeks_zip: Path, data: DataDir
) -> None:
    given = {**parameters(weeks_zip, data, epochs=4), "variants": ["dot_product_bias_wd"]}
    assert stack.wait(stack.run("pipeline/pipeline", **given), *ENDS) == "Completed"
    backfill = {"data_dir": str(data.root), "every": "week", "device": "cpu"}
    run = stack.run("backfill/backfill", **backfill)
    wait_for(lambda: len(committed(data)) >= 3, 300)
    kill(*stack.processes(ENGINE))  # its children end with it
    wait_for(lambda: not stack.processes("collab.runs.child"), 60)
    before = committed(data)
    assert 3 <= len(before) < WEEKS
    assert stack.wait(run, *ENDS) == "Crashed"

    assert stack.wait(stack.run("backfill/backfill", **backfill), *ENDS) == "Completed"
    after = committed(data)
    assert len(after) == WEEKS
    assert before.items() <= after.items(), "what stood was not made again"
    again = stack.run("backfill/backfill", **backfill)
    assert stack.wait(again, *ENDS) == "Completed"
    assert committed(data) == after

    assert stack.wait(stack.run("pipeline/pipeline", **given), *ENDS) == "Completed"
    assert query(data, "SELECT count(DISTINCT as_of) FROM bias_history") == [(WEEKS,)]
