"""A backfill: which days, what it commits, and that a second one repeats nothing."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from collab.base.errors import CollabError
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from collab.movielens.editions import ML_100K
from flows.backfill import backfill, main
from flows.backfill_plan import day, step, steps, within
from tests.archives import FIRST_TS, Planted, planted, write_archive
from tests.flows.running import run
from tests.published import query

SIX_HOURS = 6 * 3600
DAYS = ["1997-12-20", "1998-01-20", "1998-02-20"]  # the first rating is of 1997-11-20

MONTH_ENDS = ["1997-11-30", "1997-12-31", "1998-01-31", "1998-02-28", "1998-03-31"]


@pytest.fixture
def months_zip(tmp_path: Path) -> Path:
    """The planted ratings over a hundred days."""
    rows = planted()
    ratings = [
        (u, m, stars, FIRST_TS + (ts - FIRST_TS) // 60 * SIX_HOURS)
        for u, m, stars, ts in rows.ratings
    ]
    return write_archive(tmp_path / "months.zip", ML_100K, Planted(ratings, rows.movies))


@pytest.mark.usefixtures("prefect", "here")
def test_a_second_backfill_repeats_nothing(months_zip: Path, data: DataDir) -> None:
    place: Any = {"data_dir": str(data.root), "device": "cpu"}
    assert run(months_zip, data, "--variants", "dot_product_bias_wd") == 0
    before = len(read_journal(data))
    runs = backfill(to_day="1998-01-31", **place)
    assert [(run.record.as_of or "")[:10] for run in runs] == DAYS[:2]
    assert {run.record.protocol.name for run in runs} == {"temporal"}
    assert [run.run_id for run in backfill(**place)][:2] == [run.run_id for run in runs]
    entries = read_journal(data)[before:]
    made = [(e["step"], e["outcome"]) for e in entries]
    assert made.count(("train", "made")) == made.count(("dataset", "made")) == len(DAYS)
    assert made.count(("train", "found")) == 2

    assert run(months_zip, data, "--variants", "dot_product_bias_wd") == 0  # the next publication
    days = query(data, "SELECT DISTINCT as_of::DATE::VARCHAR FROM bias_history ORDER BY 1")
    assert days == [(text,) for text in DAYS]
    with pytest.raises(
        CollabError, match=r"no day from 2005-.* given from 1997-11-20 to 1998-03-01"
    ):
        backfill(from_day="2005-01-01", **place)
    measured = "SELECT count(DISTINCT as_of) FROM metric_history WHERE metric = 'mse'"
    assert query(data, measured) == [(len(DAYS),)]


def test_without_a_publication_there_is_no_champion(
    data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data-dir", str(data.root)]) == 1
    assert "Nothing of ml-100k is published" in capsys.readouterr().err


def test_steps_of_a_month_end_with_it() -> None:
    assert list(steps(date(1999, 12, 31), date(2000, 3, 30), "month")) == [
        date(1999, 12, 31),
        date(2000, 1, 31),
        date(2000, 2, 29),
    ]
    assert step(date(2000, 2, 29), "year", 1) == date(2001, 2, 28)
    assert step(date(2000, 1, 31), "quarter", 1) == date(2000, 4, 30)
    assert step(date(2000, 1, 31), "week", 2) == date(2000, 2, 14)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("1990-01-31", "2100-01-01", MONTH_ENDS),
        ("0001-01-31", "9999-12-31", MONTH_ENDS),
        ("1998-02-01", "1998-12-01", ["1998-02-01", "1998-03-01"]),
        ("1998-02-01", "1998-02-01", ["1998-02-01"]),
        ("1998-02-01", "1998-01-01", []),
        ("1998-03-02", "1999-01-01", []),
        ("1990-01-01", "1997-11-01", []),
    ],
)
def test_days_outside_of_the_ratings_are_none(first: str, last: str, expected: list[str]) -> None:
    """Nothing is trained twice on the same ratings, given from 1997-11-20 to 1998-03-01."""
    span = (date(1997, 11, 20), date(1998, 3, 1))
    asked = steps(date.fromisoformat(first), date.fromisoformat(last), "month")
    assert [str(when) for when in within(*span, asked)] == expected


def test_a_day_that_is_none_is_refused() -> None:
    assert (day("from-day", None), day("to-day", "1998-01-31")) == (None, date(1998, 1, 31))
    with pytest.raises(CollabError, match=r"--from-day is '31.1.98', which is no day; expected"):
        day("from-day", "31.1.98")
