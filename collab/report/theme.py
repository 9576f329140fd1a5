"""How every plot looks. Colours are CSS variables: the page's style sheet decides for both themes.

The plots are drawn as SVG, so a change from light to dark, or to paper, needs no new drawing.
"""

from typing import Any

import altair as alt

INK, MUTED, LINE, PAGE = "var(--ink)", "var(--muted)", "var(--line)", "var(--page)"
ACCENT, SECOND = "var(--accent)", "var(--second)"
# Few enough to be told apart by those who see no red or green; the shape says it once more.
GENRE_SHAPES = ("circle", "square", "triangle-up", "diamond")
GENRE_COLORS = tuple(f"var(--genre-{number})" for number in range(1, len(GENRE_SHAPES) + 1))
OTHER_SHAPE, OTHER_COLOR = "cross", "var(--genre-other)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": None,
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 6,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "ticks": False,
        "domain": False,
        "labelOverlap": True,
    },
}


Plot = alt.Chart | alt.LayerChart | alt.FacetChart


def finished(chart: Plot, *, height: int, about: str) -> dict[str, Any]:
    """A chart as a Vega-Lite specification that fills the width of its place.

    Args:
        chart: the plot.
        height: of the plot with its axes, pixels.
        about: read aloud in its stead.
    """
    sized = chart.properties(
        width="container",
        height=height,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        description=about,
    )
    return {**sized.to_dict(), "config": CONFIG}
