"""The map: the most rated movies by the first two principal components of their factors."""

from collections import Counter
from typing import Any

import altair as alt

from collab.report.queries import Rows
from collab.report.theme import (
    FONT,
    GENRE_COLORS,
    GENRE_SHAPES,
    INK,
    OTHER_COLOR,
    OTHER_SHAPE,
    finished,
)

MOVIES = 300  # of more, dots and names cover each other
EXTREMES = 3  # the farthest in each of the four directions are named before all others
LABELS = 60
LABEL_LENGTH = 24
OTHER = "Other"
GENRE_MOVIES = 20  # a genre of fewer movies on the map is no choice of its own
HEIGHT = 640
SHOWN = "(genre == '' || indexof(split({}.genres, ', '), genre) >= 0)"  # by the chosen genre

# Vega places labels so that none covers another or a dot, and leaves out what finds no room;
# Vega-Lite cannot ask for it, so the mark is added to what Vega-Lite compiles to.
LABEL_MARK: dict[str, Any] = {
    "type": "text",
    "name": "labels",
    "interactive": False,
    "from": {"data": "layer_1_marks"},
    "encode": {
        "enter": {
            "text": {"field": "datum.label"},
            "fill": {"value": INK},
            "font": {"value": FONT},
            "fontSize": {"value": 11},
        },
        "update": {"fillOpacity": {"signal": f"{SHOWN.format('datum.datum')} ? 1 : 0.25"}},
    },
    "transform": [
        {
            "type": "label",
            "size": {"signal": "[width, height]"},
            "sort": {"field": "datum.datum.order"},
            "avoidMarks": ["layer_0_marks"],
            "offset": [4],
            "anchor": ["right", "left", "top", "bottom", "top-right", "bottom-right", "top-left"],
        }
    ],
}


def main_genres(rows: Rows) -> list[str]:
    """The genres with a colour and a shape: the most frequent ones, by name."""
    return sorted(genre for genre, _ in genre_counts(rows).most_common(len(GENRE_COLORS)))


def legend(rows: Rows) -> list[tuple[str, int]]:
    """The genres that can be chosen, each with the number of its colour, 0 for that of the rest."""
    own = main_genres(rows)
    counts = genre_counts(rows)
    rest = sorted(genre for genre, n in counts.items() if n >= GENRE_MOVIES and genre not in own)
    return [*((genre, at + 1) for at, genre in enumerate(own)), *((genre, 0) for genre in rest)]


def genre_counts(rows: Rows) -> Counter[str]:
    """How many of the movies are of each genre."""
    return Counter(genre for row in rows for genre in row["genres"])


def color_genre(genres: list[str], chosen: list[str], counts: Counter[str]) -> str:
    """The genre a movie is coloured by: the rarest of those with a colour, which says most."""
    own = [genre for genre in genres if genre in chosen]
    return min(own, key=lambda genre: (counts[genre], genre)) if own else OTHER


def label(title: str) -> str:
    """A title short enough for the map: no year, no article at its end."""
    short = title.rpartition(" (")[0] or title
    for article in (", The", ", A", ", An"):
        short = short.removesuffix(article)
    return short if len(short) <= LABEL_LENGTH else f"{short[: LABEL_LENGTH - 1].rstrip()}…"


def label_order(rows: Rows) -> list[int]:
    """Places in `rows` of the movies to be named, the first ones first: the ends of the map."""
    ends = []
    for name in ("pc1", "pc2"):
        placed = sorted(range(len(rows)), key=lambda at: float(rows[at][name]))
        ends += [*placed[:EXTREMES], *placed[::-1][:EXTREMES]]
    return list(dict.fromkeys([*ends, *range(min(LABELS, len(rows)))]))[:LABELS]


def points(rows: Rows) -> Rows:
    """The rows with what the plot needs: colour genre, genres as text, label and its order."""
    chosen = main_genres(rows)
    counts = genre_counts(rows)
    order = {at: nth for nth, at in enumerate(label_order(rows))}
    return [
        {
            **row,
            "genre": color_genre(row["genres"], chosen, counts),
            "genres": ", ".join(row["genres"]),
            **({"label": label(row["title"]), "order": order[at]} if at in order else {}),
        }
        for at, row in enumerate(rows)
    ]


def movie_map(rows: Rows) -> dict[str, Any]:
    """The plot; its parameter `genre` keeps one genre and dims the rest."""
    base = encoded(main_genres(rows))
    genre = alt.param(name="genre", value="")
    every = base.transform_filter("!datum.label").mark_point(filled=True).add_params(genre)
    named = base.transform_filter("datum.label").mark_point(filled=True, stroke=INK, strokeWidth=1)
    chart = alt.layer(every, named, data=alt.InlineData(values=points(rows)))
    patch = [{"op": "add", "path": "/marks/-", "value": LABEL_MARK}]
    return {
        **finished(chart, height=HEIGHT, about="The most rated movies by their factors"),
        "usermeta": {"embedOptions": {"patch": patch}},
    }


def encoded(genres: list[str]) -> alt.Chart:
    """Where a movie lies, how large, of which colour and shape, and what it tells."""
    names, n = [*genres, OTHER], len(genres)
    return alt.Chart().encode(
        x=axis(alt.X, "pc1", "first principal component"),
        y=axis(alt.Y, "pc2", "second principal component"),
        size=alt.Size("n_ratings:Q", legend=None).scale(range=[22, 180], zero=False),
        color=alt.Color("genre:N", legend=None).scale(
            domain=names, range=[*GENRE_COLORS[:n], OTHER_COLOR]
        ),
        shape=alt.Shape("genre:N", legend=None).scale(
            domain=names, range=[*GENRE_SHAPES[:n], OTHER_SHAPE]
        ),
        opacity=alt.when(SHOWN.format("datum")).then(alt.value(0.85)).otherwise(alt.value(0.1)),
        tooltip=[
            alt.Tooltip("title:N", title="title"),
            alt.Tooltip("genres:N", title="genres"),
            alt.Tooltip("n_ratings:Q", title="ratings", format=","),
            alt.Tooltip("bias:Q", title="bias", format="+.3f"),
        ],
    )


def axis(channel: Any, field: str, title: str) -> Any:
    """An axis of a component: its numbers mean nothing by themselves and are not shown."""
    return channel(f"{field}:Q", title=title, axis=alt.Axis(labels=False, tickCount=5)).scale(
        zero=False, nice=False, padding=12
    )
