"""Errors by number of training ratings: bins wide enough to say something."""

import math
from typing import Any

from collab.report.queries import Rows

MEMBERS = 20  # movies or users; a bin of fewer is merged into the next, or has no interval
SUMS = ("members", "n", "errors", "squares", "products", "counts")


def wide_enough(rows: Rows) -> Rows:
    """Merge neighbouring bins until each has members enough, and work out error and interval.

    Args:
        rows: bins in rising order: from `least` to before `below` training ratings; the sums of
            `queries.BINS` over their members.

    Returns:
        `least`, `below`, `members`, `n` (ratings), `mse`, and `low` and `high` of its 95 %
        interval; these are None where there are too few members even so.
    """
    bins: Rows = []
    for row in rows:
        if bins and bins[-1]["members"] < MEMBERS:
            bins[-1] = joined(bins[-1], row)
        else:
            bins.append(row)
    if len(bins) > 1 and bins[-1]["members"] < MEMBERS:
        last = bins.pop()
        bins[-1] = joined(bins[-1], last)
    return [with_error(row) for row in bins]


def joined(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    """Two neighbouring bins as one."""
    sums = {name: low[name] + high[name] for name in SUMS}
    return {"least": low["least"], "below": high["below"], **sums}


def with_error(row: dict[str, Any]) -> dict[str, Any]:
    """A bin's mean squared error and its interval.

    One member's ratings are not independent: it is the members that are taken to be, so that the
    variance is that of a ratio of their sums.
    """
    mse = row["errors"] / row["n"]
    found = {name: row[name] for name in ("least", "below", "members", "n")}
    if row["members"] < MEMBERS:
        return {**found, "mse": mse, "low": None, "high": None}
    residual = row["squares"] - 2 * mse * row["products"] + mse**2 * row["counts"]
    variance = row["members"] / (row["members"] - 1) * max(residual, 0.0) / row["n"] ** 2
    half = 1.96 * math.sqrt(variance)
    return {**found, "mse": mse, "low": mse - half, "high": mse + half}


def bin_name(row: dict[str, Any]) -> str:
    """A bin's counts: `0`, `4–7`."""
    least, last = row["least"], row["below"] - 1
    return f"{least:,}" if least == last else f"{least:,}–{last:,}"
