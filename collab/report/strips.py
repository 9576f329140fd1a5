"""Where dots and bars stand in the tables: one scale for all that are to be compared."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from collab.report.queries import Rows

INTERVALS = 4  # between the ticks of a scale, at most


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A line from `low` to `high`, both round numbers, with a tick at every `step`."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """The place of a value, in % of the line."""
        return round(100 * (value - self.low) / (self.high - self.low), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """The place of every tick, in %, and what to write there."""
        n = round((self.high - self.low) / self.step)
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        values = [self.low + at * self.step for at in range(n + 1)]
        return [(self.at(value), f"{value:.{decimals}f}") for value in values]


def round_scale(values: Iterable[float]) -> Scale:
    """The shortest scale of round numbers that holds all values."""
    known = sorted(values)
    span = known[-1] - known[0] or abs(known[0]) or 1.0
    power = 10.0 ** math.floor(math.log10(span / INTERVALS))
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power * INTERVALS >= span * 0.9999)
    low = math.floor(known[0] / step + 1e-9) * step
    high = math.ceil(known[-1] / step - 1e-9) * step
    return Scale(low=low, high=high if high > low else low + step, step=step)


def placed(rows: Rows, scale: Scale, *names: str) -> Rows:
    """The rows with `<name>_at` for each name that has a value: its place on the scale, in %."""
    return [
        row | {f"{name}_at": scale.at(row[name]) for name in names if row[name] is not None}
        for row in rows
    ]


def bars(*tables: Rows) -> list[Rows]:
    """Tables of `bias`, `low` and `high`, each row with its bar: from zero, to whichever side.

    Every table has a zero line of its own (`zero_at`), so that one of highest values has room to
    its right and one of lowest to its left; a per cent is equally much in all of them.

    Returns:
        The tables with `zero_at`, `bar` and, where there is an interval, `whisker`: (from, width),
        all in % of the track.
    """
    ends = [drawn_ends(rows) for rows in tables]
    span = max((high - low for low, high in ends), default=0.0) or 1.0
    return [
        [row | bar(row, low, span) for row in rows]
        for rows, (low, _) in zip(tables, ends, strict=True)
    ]


def drawn_ends(rows: Rows) -> tuple[float, float]:
    """The lowest and the highest value that a table's bars reach, 0 among them."""
    names = ("bias", "low", "high")
    values = [0.0, *(row[name] for row in rows for name in names if row[name] is not None)]
    return min(values), max(values)


def bar(row: dict[str, float | None], low: float, span: float) -> dict[str, object]:
    """Where the bar of a row lies, and the line of its interval."""

    def piece(start: float, end: float) -> tuple[float, float]:
        return round(100 * (start - low) / span, 1), round(100 * (end - start) / span, 1)

    value, bottom, top = row["bias"], row["low"], row["high"]
    assert value is not None
    return {
        "zero_at": piece(0.0, 0.0)[0],
        "bar": piece(min(value, 0.0), max(value, 0.0)),
        "whisker": None if bottom is None or top is None else piece(bottom, top),
    }
