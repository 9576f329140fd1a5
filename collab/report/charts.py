"""The plots but the map, each a Vega-Lite specification made of rows of `queries`."""

import math
from statistics import median
from typing import Any

import altair as alt

from collab.report.bins import bin_name
from collab.report.queries import FEW, Rows
from collab.report.theme import ACCENT, INK, MUTED, SECOND, finished

CURVE_ROOM = 1.4  # how far above the lowest valid MSE of a usual run the curves are drawn
CURVE_MARGIN = 0.04  # below the lowest point, as a part of the scale


def curve_limits(rows: Rows) -> tuple[float, float]:
    """The lowest and the highest value on the scale that all learning curves share.

    A first epoch may start far above all else: what exceeds the highest is cut off, and named in
    the caption. The lowest MSE of half of the runs sets the scale, so no odd run can.
    """
    best: dict[str, float] = {}
    for row in rows:
        if row["split"] == "valid":
            best[row["run_id"]] = min(row["value"], best.get(row["run_id"], math.inf))
    top = CURVE_ROOM * median(best.values()) if best else math.inf
    drawn = [row["value"] for row in rows if row["value"] <= top]
    low = min(drawn, default=0.0)
    top = min(top, max((row["value"] for row in rows), default=1.0))
    return low - CURVE_MARGIN * (top - low), top


def learning_curve(rows: Rows, limits: tuple[float, float], about: str) -> dict[str, Any]:
    """One run's training loss and valid MSE by epoch, on the scale of all runs."""
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point={"size": 30, "clip": True}, strokeWidth=2, clip=True)
        .encode(
            x=alt.X("epoch:O", title="epoch", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("value:Q", title="MSE, stars²", axis=alt.Axis(tickCount=4)).scale(
                domain=list(limits), nice=False, zero=False
            ),
            color=by_split(alt.Color, [SECOND, ACCENT]),
            strokeDash=by_split(alt.StrokeDash, [[4, 3], [1, 0]]),
            tooltip=[
                alt.Tooltip("epoch:O", title="epoch"),
                alt.Tooltip("split:N", title="rows"),
                alt.Tooltip("value:Q", title="MSE", format=".4f"),
            ],
        )
    )
    return finished(chart, height=150, about=about)


def by_split(channel: Any, values: list[Any]) -> Any:
    """A channel that tells train from valid; the page draws the legend."""
    return channel("split:N", legend=None).scale(domain=["train", "valid"], range=values)


def calibration(rows: Rows) -> dict[str, Any]:
    """Mean rating against mean prediction, with the diagonal where both are equal."""
    ends = [min(row["predicted"] for row in rows), max(row["predicted"] for row in rows)]
    diagonal = (
        alt.Chart(alt.InlineData(values=[{"predicted": end, "actual": end} for end in ends]))
        .mark_line(color=MUTED, strokeDash=[4, 4], strokeWidth=1)
        .encode(x="predicted:Q", y="actual:Q")
    )
    stars = alt.Scale(zero=False, nice=True)
    ticks = alt.Axis(tickCount=6)
    points = interval_points(
        rows,
        x=alt.X("predicted:Q", title="mean prediction, stars", scale=stars, axis=ticks),
        y=alt.Y("actual:Q", title="mean rating, stars", scale=stars, axis=ticks),
        tooltip=[
            alt.Tooltip("predicted:Q", title="mean prediction", format=".2f"),
            alt.Tooltip("actual:Q", title="mean rating", format=".2f"),
            alt.Tooltip("n:Q", title="ratings", format=","),
        ],
    )
    return finished(
        alt.layer(diagonal, *points), height=340, about="Mean rating against mean prediction"
    )


def reliability(rows: Rows) -> dict[str, Any]:
    """How often each rating is given against how likely it was said to be, with the diagonal."""
    diagonal = (
        alt.Chart(alt.InlineData(values=[{"probability": end, "observed": end} for end in (0, 1)]))
        .mark_line(color=MUTED, strokeDash=[4, 4], strokeWidth=1)
        .encode(x="probability:Q", y="observed:Q")
    )
    drawn = [row for row in rows if row["n"] >= FEW]
    base = alt.Chart(alt.InlineData(values=drawn)).encode(
        x=alt.X("probability:Q", title="probability told", axis=alt.Axis(format="%", tickCount=6)),
        y=alt.Y("observed:Q", title="given so often", axis=alt.Axis(format="%", tickCount=6)),
        tooltip=[
            alt.Tooltip("rating:Q", title="stars"),
            alt.Tooltip("probability:Q", title="told", format=".1%"),
            alt.Tooltip("observed:Q", title="given", format=".1%"),
            alt.Tooltip("n:Q", title="ratings", format=","),
        ],
    )
    points = base.mark_text(color=ACCENT, fontSize=12, fontWeight="bold").encode(text="rating:Q")
    return finished(alt.layer(diagonal, points), height=340, about="How often each rating is given")


def error_by_count(rows: Rows, of: str, limits: tuple[float, float]) -> dict[str, Any]:
    """MSE by the number of training ratings of a movie or a user, on a scale that both share."""
    named = [{**row, "bin": bin_name(row)} for row in rows]
    points = interval_points(
        named,
        x=alt.X(
            "least:O",
            title=f"training ratings of the {of}, at least",
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y("mse:Q", title="MSE, stars²", axis=alt.Axis(tickCount=6)).scale(
            domain=list(limits), nice=True, zero=False
        ),
        tooltip=[
            alt.Tooltip("bin:O", title="training ratings"),
            alt.Tooltip("mse:Q", title="MSE", format=".3f"),
            alt.Tooltip("n:Q", title="validation ratings", format=","),
            alt.Tooltip("members:Q", title=f"{of}s", format=","),
        ],
    )
    about = f"MSE by number of training ratings of the {of}"
    return finished(alt.layer(*points), height=300, about=about)


def error_limits(*tables: Rows) -> tuple[float, float]:
    """The lowest and the highest end of an interval in any of the tables."""
    names = ("mse", "low", "high")
    values = [
        row[name] for rows in tables for row in rows for name in names if row[name] is not None
    ]
    low, high = max(0.0, min(values)), max(values)
    return (low if high - low > 1e-6 else 0.0), high


def interval_points(
    rows: Rows, *, x: alt.X, y: alt.Y, tooltip: list[alt.Tooltip]
) -> list[alt.Chart]:
    """Points with bars from `low` to `high`."""
    base = alt.Chart(alt.InlineData(values=rows))
    bars = base.mark_rule(color=ACCENT, opacity=0.45, strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q"), y2="high:Q"
    )
    points = base.mark_circle(color=ACCENT, size=64, opacity=1).encode(x=x, y=y, tooltip=tooltip)
    return [bars, points]


def rating_distribution(rows: Rows) -> dict[str, Any]:
    """Share of every rating value."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("rating:O", title="rating, stars", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("share:Q", title="share of the ratings", axis=alt.Axis(format="%", tickCount=4)),
        tooltip=[
            alt.Tooltip("rating:O", title="stars"),
            alt.Tooltip("n:Q", title="ratings", format=","),
            alt.Tooltip("share:Q", title="share", format=".1%"),
        ],
    )
    bars = base.mark_bar(color=ACCENT, cornerRadiusEnd=2, width={"band": 0.72})
    labels = base.mark_text(color=INK, dy=-8, fontSize=12).encode(
        text=alt.Text("share:Q", format=".0%")
    )
    return finished(alt.layer(bars, labels), height=260, about="Share of every rating value")
