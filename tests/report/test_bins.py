"""Bins of few members are merged; intervals are those of members, not of ratings."""

import math
from pathlib import Path
from typing import Any

import duckdb
import pytest

from collab.report import queries
from collab.report.bins import bin_name, wide_enough
from tests.release.planted_database import RUN


def made(least: int, below: int, members: list[tuple[int, float]]) -> dict[str, Any]:
    """A bin of members, each with its number of ratings and the sum of their errors."""
    return {
        "least": least,
        "below": below,
        "members": len(members),
        "n": sum(n for n, _ in members),
        "errors": sum(e for _, e in members),
        "squares": sum(e * e for _, e in members),
        "products": sum(e * n for n, e in members),
        "counts": float(sum(n * n for n, _ in members)),
    }


def test_small_bins_join_the_next_and_the_last_joins_the_one_before() -> None:
    rows = [
        made(0, 1, [(1, 1.0)] * 3),
        made(1, 2, [(1, 2.0)] * 18),
        made(2, 4, [(2, 2.0)] * 25),
        made(4, 8, [(4, 8.0)] * 3),
    ]
    bins = wide_enough(rows)
    assert [(row["least"], row["below"], row["members"]) for row in bins] == [
        (0, 2, 21),
        (2, 8, 28),
    ]
    assert bins[0]["mse"] == pytest.approx((3 * 1.0 + 18 * 2.0) / 21)
    assert bins[1]["mse"] == pytest.approx((25 * 2.0 + 3 * 8.0) / 62)
    assert [bin_name(row) for row in bins] == ["0–1", "2–7"]


def test_few_members_in_all_have_no_interval() -> None:
    (only,) = wide_enough([made(512, 1024, [(100, 90.0)] * 3)])
    assert only["mse"] == pytest.approx(0.9)
    assert only["low"] is only["high"] is None


def test_the_interval_takes_members_and_not_their_ratings_as_independent() -> None:
    """Half of 20 users err 0 and half 2 on each of 50 ratings: the mean's sd is sqrt(20/19/20)."""
    (found,) = wide_enough([made(1, 2, [(50, 0.0)] * 10 + [(50, 100.0)] * 10)])
    assert found["mse"] == pytest.approx(1.0)
    assert found["high"] - 1 == pytest.approx(1.96 * math.sqrt(1 / 19))
    assert 1 - found["low"] == pytest.approx(1.96 * math.sqrt(1 / 19))


def test_errors_by_count_of_the_training_ratings(planted: Path) -> None:
    with duckdb.connect(planted, read_only=True) as con:
        rows = queries.fetch(con, queries.MOVIE_ERRORS, run_id=RUN)
        trained = con.execute(
            "SELECT movie_id, count(*) FROM ratings WHERE position % 5 <> 0 GROUP BY 1"
        ).fetchall()
        predicted = con.execute("SELECT movie_id FROM predictions").fetchall()
    counts = dict(trained)
    expected: dict[int, int] = {}
    for (movie,) in predicted:
        n = counts.get(movie, 0)
        least = 1 << (n.bit_length() - 1) if n else 0
        expected[least] = expected.get(least, 0) + 1
    assert {row["least"]: row["n"] for row in rows} == dict(sorted(expected.items()))
    assert {row["least"]: row["below"] for row in rows if row["least"] < 4} == {0: 1, 1: 2, 2: 4}
    assert len(rows) > 3
    assert sum(row["members"] for row in rows) == len({movie for (movie,) in predicted})
    assert all(row["errors"] / row["n"] == pytest.approx(0.25) for row in rows)
