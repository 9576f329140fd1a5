"""The champion's gate: measured against the last publication of the same ratings."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from collab.base.errors import CollabError
from collab.release.publish import snapshot_record
from collab.release.regression import compare, require_sensible
from collab.release.rollback import roll_back
from collab.runs.run import Run
from tests.release.planted import Published
from tests.release.tiny import publish

SPLIT = {"edition": "ml-100k", "archive_sha256": "abc", "seed": 42, "valid_pct": 0.2}


def champion(mse: float, **changed: Any) -> Run:
    """A run of that error."""
    return Run(folder=Path("x"), record={"run_id": "r", "mse": mse, **SPLIT, **changed})


def published_mse(serve: Path, *errors: float, **changed: Any) -> None:
    """One publication for each error."""
    for number, mse in enumerate(errors):
        publish(serve, number, 10, **{**SPLIT, "valid_mse": mse, **changed})


def test_the_first_has_nothing_to_measure_up_to(tmp_path: Path) -> None:
    found = compare(tmp_path, champion(9.0), 0.02)
    assert (found.compared_with, found.regression) == (None, None)


@pytest.mark.parametrize("mse", [0.5, 1.0, 1.0199])
def test_within_the_limit(tmp_path: Path, mse: float) -> None:
    published_mse(tmp_path, 1.0)
    found = compare(tmp_path, champion(mse), 0.02)
    assert found.compared_with == 1
    assert found.regression == pytest.approx(mse - 1)


def test_beyond_the_limit(tmp_path: Path) -> None:
    published_mse(tmp_path, 2.0, 1.0)
    with pytest.raises(CollabError, match=r"1\.0210, 2\.1% worse than 1\.0000 of"):
        compare(tmp_path, champion(1.021), 0.02)
    assert compare(tmp_path, champion(1.021), 0.03).max_regression == 0.03
    assert compare(tmp_path, champion(5.0), None).regression == pytest.approx(4.0)


@pytest.mark.parametrize(
    "changed",
    [{"seed": 7}, {"valid_pct": 0.1}, {"edition": "ml-1m"}, {"archive_sha256": "def"}],
)
def test_other_ratings_cannot_be_compared(tmp_path: Path, changed: dict[str, Any]) -> None:
    published_mse(tmp_path, 1.0)
    assert compare(tmp_path, champion(9.0, **changed), 0.02).compared_with is None


def test_the_last_of_the_same_ratings_counts(tmp_path: Path) -> None:
    published_mse(tmp_path, 1.0)
    published_mse(tmp_path, 0.1, edition="ml-1m")
    assert compare(tmp_path, champion(1.01), 0.02).compared_with == 1


def test_after_a_rollback_what_is_served_counts(tmp_path: Path) -> None:
    published_mse(tmp_path, 1.0, 0.5)
    roll_back(tmp_path, 1)
    assert compare(tmp_path, champion(1.01), 0.02).compared_with == 1


@pytest.mark.parametrize("limit", [-0.1, float("nan"), float("inf")])
def test_a_limit_that_means_nothing(limit: float) -> None:
    with pytest.raises(CollabError, match=r"expected a part such as 0\.02"):
        require_sensible(limit)


def test_a_worse_champion_is_refused_and_no_gate_is_recorded(
    published: Published, tmp_path: Path
) -> None:
    mine = published.copy_to(tmp_path / "data")
    good = mine.runs[0]
    worse = Run(folder=good.folder, record={**good.record, "mse": good.record["mse"] * 1.5})
    with pytest.raises(CollabError, match=r"50\.0% worse .* snapshot 1 .* last publication stands"):
        mine.publish([worse], force=True)
    snapshot, _ = mine.publish([worse], force=True, max_regression=None)
    assert snapshot.seq == 2
    told = {name: snapshot.record[name] for name in ("max_regression", "compared_with")}
    assert told == {"max_regression": None, "compared_with": 1}
    with duckdb.connect(snapshot.database, read_only=True) as con:
        ((limit, seq, regression),) = con.execute(
            "SELECT max_regression, compared_with, regression FROM publish_info"
        ).fetchall()
    assert (limit, seq) == (None, 1)
    assert regression == pytest.approx(0.5)


def test_the_record_says_what_was_compared(published: Published) -> None:
    found = compare(published.data.serve, published.runs[0], 0.02)
    record = snapshot_record("k", published.runs[0], found)
    assert record["seed"] == 42
    assert record["compared_with"] == 1
    assert record["regression"] == pytest.approx(0)
