"""Which days a backfill trains as of, and by which recipe."""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from collab.base.database import open_database
from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.estimators.api import Recipe
from collab.lake import Manifest
from collab.release.snapshot import current_snapshot
from collab.runs.record import load_run

Every = Literal["week", "month", "quarter", "year"]
MONTHS: dict[Every, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The recipe that the tables published now come from, and its seed."""

    recipe: Recipe
    seed: int


def champion_of(data: DataDir, edition: str) -> Champion:
    """The published champion recipe of an edition.

    Raises:
        CollabError: nothing is published, or the champion's run is not there or of another version.
    """
    current = current_snapshot(data.serve / edition)
    if current is None:
        raise CollabError(
            f"Nothing of {edition} is published in {data.serve}, so that there is no champion "
            f"recipe. Run `python -m flows.pipeline --edition {edition}` first."
        )
    try:
        run = load_run(data.runs / current.record.champion)
        return Champion(recipe=run.recipe, seed=run.record.seed)
    except (OSError, ValueError) as error:
        raise CollabError(
            f"The published champion {current.record.champion} cannot be read ({error}). "
            f"Run `python -m flows.pipeline --edition {edition}` first."
        ) from error


def day(name: str, text: str | None) -> date | None:
    """A day as it is typed.

    Raises:
        CollabError: it is none.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise CollabError(
            f"--{name} is {text!r}, which is no day; expected one such as 1998-01-31."
        ) from error


def days(lake: Manifest, first: date | None, last: date | None, every: Every) -> list[date]:
    """The days to train as of, earliest first.

    Args:
        lake: the ratings.
        first: by default one step after the first rating.
        last: by default the day of the last rating; of later days only the first is taken.
        every: the step.

    Raises:
        CollabError: there is none.
    """
    begin, end = span(lake)
    found = list(within(begin, end, steps(first or step(begin, every, 1), last or end, every)))
    if not found:
        raise CollabError(
            f"There is no day from {first or step(begin, every, 1)} to {last or end}. The ratings "
            f"of {lake.edition} were given from {begin} to {end}; name other days or a smaller "
            "--every."
        )
    return found


def within(begin: date, end: date, wanted: Iterable[date]) -> Iterator[date]:
    """The days that know of ratings of which the day before them does not.

    So of those after the last rating there is the first at most, and only where one was before it:
    of the others the ratings, and all that is learnt, would be the same again.
    """
    before = None
    for when in wanted:
        if when > end and (before is None or before >= end):
            return
        if when >= begin:
            before = when
            yield when


def span(lake: Manifest) -> tuple[date, date]:
    """The days of the first and of the last rating, UTC."""
    with open_database() as con:
        query = "SELECT min(ts), max(ts) FROM read_parquet($path)"
        ((first, last),) = con.execute(query, {"path": str(lake.ratings)}).fetchall()
    return datetime.fromtimestamp(first, UTC).date(), datetime.fromtimestamp(last, UTC).date()


def steps(first: date, last: date, every: Every) -> Iterator[date]:
    """`first` and each step after it, up to `last`."""
    number = 0
    while (found := step(first, every, number)) <= last:
        yield found
        number += 1


def step(first: date, every: Every, number: int) -> date:
    """A day so many steps later: of a month without such a day, its last."""
    if every == "week":
        return first + timedelta(weeks=number)
    years, month = divmod(first.month - 1 + MONTHS[every] * number, 12)
    year = first.year + years
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))
