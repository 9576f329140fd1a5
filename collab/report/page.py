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

from collab.base.database import open_database
from collab.report import bias_history, captions, charts, headline, queries, reference
from collab.report.movie_map import LABELS, OTHER, main_genres, movie_map
from collab.report.queries import Rows, fetch, fetch_one
from collab.report.similar import similar_movies

ASSETS = files("collab.report") / "assets"
EXTREMES = 10  # movies of highest and of lowest bias

Figures = dict[str, tuple[dict[str, Any], str]]  # specification and caption by name


def render(database: Path, mark: str = "") -> str:
    """The report of a published database as one HTML page.

    Args:
        database: opened read-only.
        mark: an element of the head that says what made the page.
    """
    with open_database(database, read_only=True) as con:
        found = facts(con)
        shown = {**found, **sections(con, found)}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters.update(json=as_json, day=as_day, signed=signed, wrap=wrap)
    return environment.from_string(asset("report.html")).render(
        **shown,
        mark=Markup(mark),  # noqa: S704 - our own
        style=Markup(asset("style.css")),  # noqa: S704 - our own file
        script=Markup(asset("titles.js") + asset("script.js")),  # noqa: S704
        vega=Markup(vega_scripts()),  # noqa: S704
    )


def facts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What was published, its champion, and how far this one errs."""
    info = fetch_one(con, "FROM publish_info")
    run_id = info["champion_run_id"]
    champion = fetch_one(con, "FROM runs WHERE run_id = $run_id", run_id=run_id)
    error = fetch_one(con, queries.CHAMPION_ERROR, run_id=run_id)
    recipe = json.loads(champion["recipe"])
    return {
        "info": info,
        "release": fetch_one(con, "FROM runs WHERE is_release"),
        "champion": champion,
        "versions": json.loads(champion["versions"]),
        "recipe": recipe,
        "settings": recipe_words(recipe),
        "counts": fetch_one(con, queries.COUNTS),
        "lede": headline.lede(champion, error, info),
        "comparison": headline.comparison(
            champion, info, fetch(con, queries.PUBLISHED, edition=info["edition"])
        ),
        "book": reference.BOOK_BEST if info["edition"] == reference.BOOK_EDITION else None,
    }


def sections(con: duckdb.DuckDBPyConnection, found: dict[str, Any]) -> dict[str, Any]:
    """The tables and plots of the page."""
    runs = fetch(con, queries.LEADERBOARD)
    movies = fetch(con, queries.MAP)
    curve_plots, curve_caption = learning_curves(con, runs)
    figures = {
        "map": (movie_map(movies), captions.movie_map(movies)),
        **rating_figure(con),
        **error_figures(con, found["info"]["champion_run_id"]),
        **reliability_figure(con, found["champion"]),
        **bias_history.figure(con),
    }
    return {
        "runs": headline.leaderboard(runs, found["info"]["edition"]),
        "place": next(run["place"] for run in runs if run["is_champion"]),
        "curve_caption": curve_caption,
        "captions": {name: caption for name, (_, caption) in figures.items()},
        "plots": {**curve_plots, **{name: plot for name, (plot, _) in figures.items()}},
        "genres": [*main_genres(movies), OTHER],
        "labels": LABELS,
        **bias(con),
        "similar": similar_movies(con),
        "sure": bool(fetch_one(con, "SELECT count(sd) AS n FROM movie_similarity")["n"]),
        "coverage": fetch(con, "FROM interval_coverage"),
        "checks": fetch(con, queries.CHECKS),
    }


def rating_figure(con: duckdb.DuckDBPyConnection) -> Figures:
    """The distribution of the ratings."""
    rows = fetch(con, queries.RATINGS)
    return {"ratings": (charts.rating_distribution(rows), captions.rating_distribution(rows))}


def error_figures(con: duckdb.DuckDBPyConnection, run_id: str) -> Figures:
    """The plots of the champion's predictions; one without a row is left out."""
    figures: Figures = {}
    if rows := fetch(con, queries.CALIBRATION, run_id=run_id):
        figures["calibration"] = charts.calibration(rows), captions.calibration(rows)
    for of, query in (("movie", queries.MOVIE_ERRORS), ("user", queries.USER_ERRORS)):
        if rows := fetch(con, query, run_id=run_id):
            plot, caption = charts.error_by_count(rows, of), captions.error_by_count(rows, of)
            figures[f"{of}_errors"] = plot, caption
    return figures


def reliability_figure(con: duckdb.DuckDBPyConnection, champion: dict[str, Any]) -> Figures:
    """How far the champion's probabilities can be believed; nothing where it tells none."""
    rows = fetch(con, queries.RELIABILITY, run_id=champion["run_id"])
    if not rows:
        return {}
    gaps = fetch(con, queries.CLASS_GAPS)
    caption = captions.reliability(rows, gaps, champion["variant"])
    return {"reliability": (charts.reliability(rows), caption)}


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


def recipe_words(recipe: dict[str, Any]) -> str:
    """The hyperparameters of a recipe, such as `epochs 4, lr_max 0.0131`."""
    values = {k: v for k, v in recipe["estimator"].items() if k not in {"estimator", "model"}}
    told = {**values.pop("arguments", {}), **values}
    return ", ".join(f"{name} {value}" for name, value in told.items())


def asset(name: str) -> str:
    """The text of a file of `assets`."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def vega_scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script.replace("</script", "<\\/script")


def as_json(value: Any) -> Markup:
    """Compact JSON for a `<script>` of its own: no `<` can end it early."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped for where it stands


def signed(value: float) -> str:
    """A number with its sign, to hundredths."""
    return f"{value:+.2f}".replace("-", "−")


def wrap(name: str) -> Markup:
    """A name that may be broken after its underscores, for narrow columns."""
    return Markup.escape(name).replace("_", Markup("_<wbr>"))


def as_day(moment: datetime) -> str:
    """A time as people write it: `24 November 2026, 03:55 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
