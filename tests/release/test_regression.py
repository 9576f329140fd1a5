"""The champion's gate: measured against the last publication of the same ratings."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike

from collab.base.errors import CollabError
from collab.dataset.protocols import Protocol
from collab.release.publish import snapshot_record
from collab.release.regression import compare, require_sensible
from collab.release.rollback import roll_back
from collab.release.snapshot import Snapshot, current_snapshot, list_snapshots, publish_snapshot
from collab.runs.record import Run
from tests.release.planted import Published, quick
from tests.release.tiny import EDITION

USERS, EACH = 40, 5
SPLIT = {"archive_sha256": "abc", "split": Protocol().label}
Champion = Callable[..., Run]


def predictions(squared: ArrayLike, repeated: ArrayLike = False) -> pd.DataFrame:
    """Five ratings of each user, whose predictions err by these squares: one for all or each."""
    n = USERS * EACH
    table = pd.DataFrame({"position": np.arange(n) * 5, "user_id": np.arange(n) // EACH})
    table = table.assign(movie_id=1, rating=3.0, user_known=True, item_known=True)
    errors = np.sqrt(np.broadcast_to(np.asarray(squared, dtype=float), n))
    return table.assign(prediction=3.0 + errors, repeated=np.broadcast_to(repeated, n))


def publish_errors(
    serve: Path, squared: ArrayLike, *, serves: bool = True, **said: Any
) -> Snapshot:
    """A publication whose champion errs so."""
    table = predictions(squared).assign(run_id="before")

    def fill(con: duckdb.DuckDBPyConnection) -> None:
        con.register("given", table)
        con.execute("CREATE TABLE predictions AS FROM given")
        con.unregister("given")

    record = {"key": "", "edition": EDITION, "variant": "x", "champion": "before"}
    told = {**record, **SPLIT, "valid_mse": 1.0, **said}
    return publish_snapshot(serve, fill, lambda con: None, told, serves=serves)


@pytest.fixture
def champion(published: Published, tmp_path: Path) -> Champion:
    """Makes runs whose predictions err so."""

    def make(squared: ArrayLike, *, repeated: ArrayLike = False, **changed: Any) -> Run:
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        predictions(squared, repeated).to_parquet(folder / "predictions.parquet")
        known = {"run_id": "now", "archive_sha256": "abc", "protocol": Protocol()}
        return Run(folder=folder, record=replace(published.runs[0].record, **{**known, **changed}))

    return make


def test_the_first_has_nothing_to_measure_up_to(serve: Path, champion: Champion) -> None:
    found = compare(serve, champion(9.0), 0.02)
    assert (found.compared_with, found.regression) == (None, None)


@pytest.mark.parametrize("mse", [0.5, 1.0, 1.0199])
def test_within_the_limit(serve: Path, champion: Champion, mse: float) -> None:
    publish_errors(serve, 1.0)
    found = compare(serve, champion(mse), 0.02)
    assert found.compared_with == 1
    # every user errs by equally much more, so whichever are drawn, the difference is the same
    for part in (found.regression, found.regression_low, found.regression_high):
        assert part == pytest.approx(mse - 1, abs=1e-6)


def test_beyond_the_limit(serve: Path, champion: Champion) -> None:
    publish_errors(serve, 2.0)
    publish_errors(serve, 1.0)
    with pytest.raises(
        CollabError, match=r"1\.0210, 2\.1% worse \(.*\) than 1\.0000 of snapshot 2"
    ):
        compare(serve, champion(1.021), 0.02)
    assert compare(serve, champion(1.021), 0.03).max_regression == 0.03
    assert compare(serve, champion(5.0), None).regression == pytest.approx(4.0)


def test_worse_by_no_more_than_chance_passes(serve: Path, champion: Champion) -> None:
    publish_errors(serve, 1.0)
    some = np.arange(USERS * EACH) // EACH % 2 == 0
    # half of the users are served worse by 0.55 and half better by 0.45: 5 % worse on average, and
    # the standard error of a mean of 40 such users is 0.08
    found = compare(serve, champion(np.where(some, 1.55, 0.55)), 0.0)
    assert found.regression == pytest.approx(0.05)
    assert found.regression_low is not None
    assert found.regression_high is not None
    assert -0.15 < found.regression_low < 0 < found.regression_high < 0.25
    # the same average and every user served alike: surely worse
    with pytest.raises(CollabError, match=r"5\.0% worse \(95 % interval \+5\.0 % to \+5\.0 %\)"):
        compare(serve, champion(1.05), 0.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"protocol": Protocol(split_seed=7)},
        {"protocol": Protocol(share=0.1)},
        {"protocol": Protocol(name="u1")},
        {"archive_sha256": "def"},
    ],
)
def test_other_ratings_cannot_be_compared(
    serve: Path, champion: Champion, changed: dict[str, Any]
) -> None:
    publish_errors(serve, 1.0)
    assert compare(serve, champion(9.0, **changed), 0.02).compared_with is None


def test_another_edition_is_not_compared(serve: Path, champion: Champion) -> None:
    publish_errors(serve.with_name("ml-1m"), 1.0)
    assert compare(serve, champion(9.0), 0.02).compared_with is None


def test_the_last_of_the_same_ratings_counts(serve: Path, champion: Champion) -> None:
    publish_errors(serve, 1.0)
    publish_errors(serve, 0.1, split=Protocol(name="u1").label)
    assert compare(serve, champion(1.01), 0.02).compared_with == 1


def test_after_a_rollback_what_is_served_counts(serve: Path, champion: Champion) -> None:
    publish_errors(serve, 1.0)
    publish_errors(serve, 0.5)
    roll_back(serve, 1)
    assert compare(serve, champion(1.01), 0.02).compared_with == 1


def test_what_was_rolled_back_is_passed_over(serve: Path, champion: Champion) -> None:
    publish_errors(serve, 1.0)
    publish_errors(serve, 3.0, split=Protocol(name="u1").label)
    publish_errors(serve, 0.5)
    roll_back(serve, 2)
    assert compare(serve, champion(1.01), 0.02).compared_with == 1


def test_what_is_as_of_an_earlier_day_is_passed_over(serve: Path, champion: Champion) -> None:
    publish_errors(serve, 1.0)
    publish_errors(serve, 0.5, serves=False, as_of="1998-01-01T23:59:59+00:00")
    assert [snapshot.seq for snapshot in list_snapshots(serve)] == [2, 1]
    assert compare(serve, champion(1.01), 0.02).compared_with == 1


def test_rows_that_only_one_was_judged_on_do_not_count(serve: Path, champion: Champion) -> None:
    publish_errors(serve, 1.0)
    few = np.arange(USERS * EACH) % EACH == 0
    # with titles for items, a fifth of the rows are repeated; on those it errs by nothing
    found = compare(serve, champion(np.where(few, 0.0, 1.01), repeated=few), 0.02)
    assert found.regression == pytest.approx(0.01)


def test_what_is_damaged_is_compared_with_nothing(
    serve: Path, champion: Champion, caplog: pytest.LogCaptureFixture
) -> None:
    publish_errors(serve, 1.0)
    copy = publish_errors(serve, 0.5).folder / "parquet" / "predictions.parquet"
    copy.unlink()
    assert compare(serve, champion(1.01), 0.02).compared_with == 1
    assert "Snapshot 2 is damaged" in caplog.text


@pytest.mark.parametrize("limit", [-0.1, float("nan"), float("inf")])
def test_a_limit_that_means_nothing(limit: float) -> None:
    with pytest.raises(CollabError, match=r"expected a part such as 0\.02"):
        require_sensible(limit)


def test_a_worse_champion_is_refused_and_no_gate_is_recorded(mine: Published) -> None:
    good = mine.runs[0]
    recipe = quick(good.record.variant)
    once = replace(recipe, estimator=replace(recipe.estimator, epochs=1))  # type: ignore[type-var]
    worse = mine.train_recipe(once, 42, Protocol())
    assert worse.record.mse is not None
    assert good.record.mse is not None
    with pytest.raises(CollabError, match=r"% worse .* snapshot 1 .* last publication stands"):
        mine.publish([worse], force=True)
    assert [snapshot.seq for snapshot in list_snapshots(mine.serve)] == [1]
    assert current_snapshot(mine.serve) == list_snapshots(mine.serve)[0]
    snapshot, _ = mine.publish([worse], force=True, max_regression=None)
    assert snapshot.seq == 2
    assert (snapshot.record.max_regression, snapshot.record.compared_with) == (None, 1)
    with duckdb.connect(snapshot.database, read_only=True) as con:
        ((limit, seq, *found),) = con.execute(
            "SELECT max_regression, compared_with, regression, regression_low, regression_high "
            "FROM publish_info"
        ).fetchall()
    assert (limit, seq) == (None, 1)
    regression, low, high = found
    assert regression == pytest.approx(worse.record.mse / good.record.mse - 1)
    assert 0 < low < regression < high
    record = snapshot.record
    assert [record.regression, record.regression_low, record.regression_high] == found


def test_the_record_says_what_was_compared(published: Published) -> None:
    found = compare(published.serve, published.runs[0], 0.02)
    record = snapshot_record("k", published.release(), found, [])
    assert record["seed"] == 42
    assert record["split"] == "random 20%, seed 42"
    assert record["compared_with"] == 1
    assert record["regression"] == pytest.approx(0)
