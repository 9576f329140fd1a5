"""Gather what the report shows and render it."""

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import vl_convert
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from collab.publish.report import captions, charts, headline, queries, reference
from collab.publish.report.movie_map import LABELS, OTHER, main_genres, movie_map
from collab.publish.report.queries import Rows, fetch, fetch_one
from collab.publish.report.similar import similar_movies

ASSETS = files("collab.publish.report") / "assets"
EXTREMES = 10  # movies of highest and of lowest bias


def render(database: Path) -> str:
    """The report of a published database as one HTML page."""
    with duckdb.connect(database, read_only=True) as con:
        facts = gather(con)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters.update(json=as_json, day=as_day, signed=signed)
    template = environment.from_string(asset("report.html"))
    return template.render(
        **facts,
        style=Markup(asset("style.css")),  # noqa: S704 - our own file
        script=Markup(asset("script.js")),  # noqa: S704
        vega=Markup(vega_scripts()),  # noqa: S704
    )


def gather(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Everything the template names."""
    info = fetch_one(con, "FROM publish_info")
    run_id = info["champion_run_id"]
    champion = fetch_one(con, "FROM runs WHERE run_id = $run_id", run_id=run_id)
    error = fetch_one(con, queries.CHAMPION_ERROR, run_id=run_id)
    counts = fetch_one(con, queries.COUNTS)
    runs = fetch(con, queries.LEADERBOARD)
    curve_plots, curve_caption = learning_curves(con, runs)
    figures = {**overall_plots(con, counts), **champion_plots(con, run_id)}
    similar = similar_movies(con)
    return {
        "info": info,
        "champion": {**champion, "place": place_of(runs, run_id)},
        "versions": json.loads(champion["versions"]),
        "recipe": json.loads(champion["recipe"]),
        "counts": counts,
        "error": error,
        "lede": headline.lede(champion, error, info["edition"]),
        "comparison": headline.comparison(champion, info["edition"]),
        "runs": headline.leaderboard(runs, info["edition"]),
        "book": reference.BOOK_BEST if info["edition"] == reference.BOOK_EDITION else None,
        "curve_caption": curve_caption,
        "captions": {name: caption for name, (_, caption) in figures.items()},
        "plots": {**curve_plots, **{name: plot for name, (plot, _) in figures.items()}},
        "genres": [*main_genres(fetch(con, queries.MAP)), OTHER],
        "labels": LABELS,
        **bias(con),
        "similar": similar,
        "checks": fetch(con, queries.CHECKS),
    }


Figures = dict[str, tuple[dict[str, Any], str]]  # specification and caption by name


def overall_plots(con: duckdb.DuckDBPyConnection, counts: dict[str, Any]) -> Figures:
    """The plots of the data and of the factors."""
    movies = fetch(con, queries.MAP)
    ratings = fetch(con, queries.RATINGS)
    return {
        "map": (movie_map(movies), captions.movie_map(movies)),
        "ratings": (
            charts.rating_distribution(ratings),
            captions.rating_distribution(ratings, counts),
        ),
    }


def champion_plots(con: duckdb.DuckDBPyConnection, run_id: str) -> Figures:
    """The plots of the champion's predictions; a plot without a row is left out."""
    plots: Figures = {}
    if rows := fetch(con, queries.CALIBRATION, run_id=run_id):
        plots["calibration"] = charts.calibration(rows), captions.calibration(rows)
    for of, query in (("movie", queries.MOVIE_ERRORS), ("user", queries.USER_ERRORS)):
        if rows := fetch(con, query, run_id=run_id):
            plots[f"{of}_errors"] = (
                charts.error_by_count(rows, of),
                captions.error_by_count(rows, of),
            )
    return plots


def learning_curves(
    con: duckdb.DuckDBPyConnection, runs: Rows
) -> tuple[dict[str, dict[str, Any]], str]:
    """One plot a run, named by its place, and the caption of all."""
    rows = fetch(con, queries.CURVES)
    limits = charts.curve_limits(rows)
    plots = {
        f"curve-{run['place']}": charts.learning_curve(
            [row for row in rows if row["run_id"] == run["run_id"]],
            limits,
            f"Learning curve of {run['variant']}",
        )
        for run in runs
    }
    return plots, captions.curves(runs, rows, limits[1])


def bias(con: duckdb.DuckDBPyConnection) -> dict[str, Rows]:
    """The movies of highest and lowest bias, each with the length of its bar in %."""
    rows = fetch(con, queries.BIAS, k=EXTREMES)
    widest = max(abs(row["bias"]) for row in rows) or 1.0
    named = [{**row, "bias_at": round(100 * abs(row["bias"]) / widest, 1)} for row in rows]
    half = min(EXTREMES, (len(rows) + 1) // 2)
    return {"highest": named[:half], "lowest": named[half:][::-1]}


def place_of(runs: Rows, run_id: str) -> int:
    """A run's place on the leaderboard."""
    return next(int(run["place"]) for run in runs if run["run_id"] == run_id)


def asset(name: str) -> str:
    """The text of a file of `assets`."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def vega_scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    return str(vl_convert.javascript_bundle()).replace("</script", "<\\/script")


def as_json(value: Any) -> Markup:
    """Compact JSON for a `<script>` of its own: no `<` can end it early."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped for where it stands


def signed(value: float) -> str:
    """A number with its sign, to hundredths."""
    return f"{value:+.2f}".replace("-", "−")


def as_day(moment: datetime) -> str:
    """A time as people write it: `24 November 2026, 03:55 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
