"""The plot of biases over time, where a backfill was published."""

from typing import Any

import altair as alt
import duckdb

from collab.report.queries import Rows, fetch
from collab.report.theme import GENRE_COLORS, MUTED, finished

MOVIES = len(GENRE_COLORS)
NAME = "bias_history"

QUERY = """
    WITH chosen AS (
        SELECT item_id, title, max(n_ratings) AS most FROM bias_history
        JOIN (SELECT item_id, title FROM movies WHERE movie_id = item_id) USING (item_id)
        GROUP BY ALL ORDER BY most DESC, item_id LIMIT $movies)
    SELECT strftime(as_of, '%Y-%m-%d') AS day, title, round(bias::DOUBLE, 3) AS bias, n_ratings
    FROM bias_history JOIN chosen USING (item_id)
    WHERE (SELECT count(DISTINCT as_of) FROM bias_history) > 1
    ORDER BY most DESC, item_id, as_of"""


def figure(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[dict[str, Any], str]]:
    """The plot and its caption, by name; nothing where biases of fewer than two days are known."""
    rows = fetch(con, QUERY, movies=MOVIES)
    return {NAME: (plot(rows), caption(rows))} if rows else {}


def plot(rows: Rows) -> dict[str, Any]:
    """Bias by day, one line for each movie."""
    titles = list(dict.fromkeys(row["title"] for row in rows))
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point={"size": 30}, strokeWidth=2)
        .encode(
            x=alt.X("day:O", title="as of", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("bias:Q", title="bias", axis=alt.Axis(tickCount=5)).scale(zero=False),
            color=alt.Color("title:N", sort=titles, title=None)
            .scale(domain=titles, range=list(GENRE_COLORS[: len(titles)]))
            .legend(orient="bottom", columns=1, labelLimit=280, labelColor=MUTED),
            tooltip=[
                alt.Tooltip("title:N", title="movie"),
                alt.Tooltip("day:O", title="as of"),
                alt.Tooltip("bias:Q", title="bias", format="+.3f"),
                alt.Tooltip("n_ratings:Q", title="ratings until then", format=","),
            ],
        )
    )
    return finished(chart, height=400, about="Bias of the most rated movies over time")


def caption(rows: Rows) -> str:
    """Whose bias changed most between the first and the last day."""
    ends: dict[str, list[float]] = {}
    for row in rows:
        ends.setdefault(row["title"], []).append(row["bias"])
    most = max(ends, key=lambda title: abs(ends[title][-1] - ends[title][0]))
    change = f"{ends[most][-1] - ends[most][0]:+.2f}".replace("-", "−")
    return (
        f"The {len(ends)} movies with the most ratings. For each day the champion recipe learnt "
        "from what had been rated until then, but the last fifth, on which it was measured. "
        f"{most} changed most: {change}."
    )
