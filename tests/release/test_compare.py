"""Runs beside each other in SQL: the interval of their difference is that of the standings."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from collab.base.database import insert
from collab.evaluation.judged import judge, judge_rows
from collab.evaluation.paired import GROUPS, paired_difference
from collab.release.tables import SQL
from tests.release.planted import Published, ask


def test_compare_runs(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    a, b = published.runs
    for left, right in (
        (a.run_id, b.run_id),
        (a.record.variant, b.record.variant),
    ):
        found = con.execute("FROM compare_runs(?, ?)", [left, right]).fetchall()
        by_name = {measure: values for measure, *values in found}
        one, other = a.record.mse or 0, b.record.mse or 0
        assert by_name["valid_mse"][:3] == [one, other, pytest.approx(other - one)]
        assert by_name["seed"][:3] == [42, 42, 0]
        assert by_name["seed"][3:] == [None] * 3
    assert con.execute("FROM compare_runs('nobody', ?)", [b.run_id]).fetchall() == []


def test_the_paired_difference_is_that_of_the_standings(
    con: duckdb.DuckDBPyConnection, published: Published
) -> None:
    a, b = published.runs
    one, other = judge(a), judge(b)
    expected = paired_difference(other, one)
    ((*found, differs, n_rows, n_users, reason),) = con.execute(
        "SELECT mse_a, mse_b, b_minus_a, low, high, differs, n_rows, n_users, reason "
        "FROM paired_difference(?, ?)",
        [a.record.variant, b.run_id],
    ).fetchall()
    ends = [expected.low, expected.high]
    assert found == pytest.approx([one.mse, other.mse, expected.value, *ends], abs=1e-9)
    assert differs == expected.differs
    assert (n_rows, n_users) == (len(one.position), len(set(one.user_id.tolist())))
    assert reason is None
    ((*beside,),) = con.execute(
        "SELECT a, b, b_minus_a, low, high FROM compare_runs(?, ?) WHERE measure = 'judged_mse'",
        [a.run_id, b.run_id],
    ).fetchall()
    assert beside == pytest.approx(found)


def test_repeated_rows_are_left_out_and_very_many_users_are_pooled() -> None:
    rng = np.random.default_rng(0)
    n = 3 * GROUPS  # two of each user, who stand in no order
    users = rng.permutation(np.arange(n) // 2 * 7 + 3).astype(np.int32)
    table = pd.DataFrame({"position": np.arange(n), "user_id": users, "rating": np.float32(3)})
    table["repeated"] = np.arange(n) % 10 == 0
    runs = {name: table.assign(prediction=rng.normal(3, 1, n).astype(np.float32)) for name in "ab"}
    expected = paired_difference(judge_rows(runs["b"]), judge_rows(runs["a"]))
    with duckdb.connect() as con:
        for script in ("runs.sql", "paired.sql"):
            con.execute((SQL / script).read_text(encoding="utf-8"))
        con.execute(
            "CREATE OR REPLACE TABLE runs AS SELECT unnest(['a', 'b']) AS run_id, 'x' AS variant, "
            "false AS is_current, 'd' AS dataset, 1 AS n_valid"
        )
        for name, table in runs.items():
            rows = table.assign(run_id=name, movie_id=1, user_known=True, item_known=True)
            insert(con, "predictions", rows)
        ((*found,),) = ask(con, "SELECT b_minus_a, low, high FROM paired_difference('a', 'b')")
    assert found == pytest.approx([expected.value, expected.low, expected.high], abs=1e-9)


def test_why_a_difference_has_no_interval(
    con: duckdb.DuckDBPyConnection, published: Published
) -> None:
    run, further = published.runs[0].run_id, published.confirmations[0].run_id
    release = published.release().refit.run_id
    for other, reason in (
        (further, "validated on other rows: "),
        (release, f"trained on all ratings, so that none validates: {release}"),
    ):
        ((*found, why),) = con.execute(
            "SELECT mse_a, mse_b, b_minus_a, low, high, differs, reason "
            "FROM paired_difference(?, ?)",
            [run, other],
        ).fetchall()
        assert found == [None] * 6
        assert why.startswith(reason)


def test_predictions_that_are_not_published_are_the_reason(published: Published) -> None:
    a, b = published.runs
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{published.serve / 'movielens.duckdb'}' AS served (READ_ONLY)")
        con.execute("COPY FROM DATABASE served TO memory")
        con.execute("DELETE FROM predictions WHERE run_id = ?", [b.run_id])
        ((low, reason),) = con.execute(
            "SELECT low, reason FROM paired_difference(?, ?)", [a.run_id, b.run_id]
        ).fetchall()
    assert (low, reason) == (None, f"predictions that are not published: {b.run_id}")
