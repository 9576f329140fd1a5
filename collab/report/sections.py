"""Gather what every section of the report shows."""

import json
from typing import Any

import duckdb

from collab.report import bias_history, captions, charts, headline, queries, reference
from collab.report.bins import wide_enough
from collab.report.movie_map import MOVIES, OTHER, legend, movie_map
from collab.report.newcomer import newcomer
from collab.report.queries import Rows, fetch, fetch_one
from collab.report.similar import similar_movies
from collab.report.strips import bars, round_scale

EXTREMES = 10  # movies of highest and of lowest bias

Figures = dict[str, tuple[dict[str, Any], str]]  # specification and caption by name


def gather(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """All that the page shows, by the names its template knows."""
    found = facts(con)
    figures = {
        **map_figure(con),
        **rating_figure(con),
        **error_figures(con, found["info"]["champion_run_id"]),
        **reliability_figure(con, found["champion"]),
        **bias_history.figure(con),
    }
    runs = fetch(con, queries.LEADERBOARD)
    curve_plots, curve_caption = learning_curves(con, runs)
    placed, scale = headline.leaderboard(runs, found["info"]["edition"])
    shown = movies(con)
    return {
        **found,
        **shown,
        "about": headline.about(found["counts"], newcomers=shown["newcomer"] is not None),
        "runs": placed,
        "run_scale": scale,
        "place": next(run["place"] for run in runs if run["is_champion"]),
        "curve_caption": curve_caption,
        "captions": {name: caption for name, (_, caption) in figures.items()},
        "plots": {**curve_plots, **{name: plot for name, (plot, _) in figures.items()}},
        "covered": fetch(con, "FROM interval_coverage"),
        "checks": fetch(con, queries.CHECKS),
    }


def facts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What was published, its champion, and how far this one errs."""
    info = fetch_one(con, "FROM publish_info")
    run_id = info["champion_run_id"]
    champion = fetch_one(con, "FROM runs WHERE run_id = $run_id", run_id=run_id)
    error = fetch_one(con, queries.CHAMPION_ERROR, run_id=run_id)
    published = fetch(con, queries.PUBLISHED, edition=info["edition"])
    groups, scale = headline.comparison(champion, info, published)
    recipe = json.loads(champion["recipe"])
    counts = fetch_one(con, queries.COUNTS)
    return {
        "info": info,
        "release": fetch_one(con, "FROM runs WHERE is_release"),
        "champion": champion,
        "versions": json.loads(champion["versions"]),
        "recipe": recipe,
        "settings": recipe_words(recipe),
        "counts": counts,
        "error": error,
        "title": headline.title(counts),
        "lede": headline.lede(champion, error, info),
        "comparison": groups,
        "comparison_scale": scale,
        "book": reference.BOOK_BEST if info["edition"] == reference.BOOK_EDITION else None,
    }


def movies(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Neighbours, biases, the map's legend, and what is recommended."""
    ranked = fetch(con, queries.BIAS, k=EXTREMES)
    half = min(EXTREMES, (len(ranked) + 1) // 2)
    highest, lowest = bars(ranked[:half], ranked[half:][::-1])
    similar = similar_movies(con)
    someone = newcomer(con, similar["ids"])
    stars = round_scale([someone["low"], someone["high"]]) if someone else None
    return {
        "similar": similar,
        "newcomer": someone,
        "star_scale": stars,
        "highest": highest,
        "lowest": lowest,
        "well_rated": all(row["n_ratings"] >= queries.WELL_RATED for row in ranked),
        "least_rated": queries.WELL_RATED,
        "sure": bool(fetch_one(con, "SELECT count(sd) AS n FROM movie_similarity")["n"]),
        "genres": [*legend(fetch(con, queries.MAP, movies=MOVIES)), (OTHER, 0)],
        "recommended": captions.recommended(fetch_one(con, queries.RECOMMENDED)),
    }


def map_figure(con: duckdb.DuckDBPyConnection) -> Figures:
    """The most rated movies by their factors."""
    rows = fetch(con, queries.MAP, movies=MOVIES)
    return {"map": (movie_map(rows), captions.movie_map(rows))}


def rating_figure(con: duckdb.DuckDBPyConnection) -> Figures:
    """The distribution of the ratings."""
    rows = fetch(con, queries.RATINGS)
    return {"ratings": (charts.rating_distribution(rows), captions.rating_distribution(rows))}


def error_figures(con: duckdb.DuckDBPyConnection, run_id: str) -> Figures:
    """The plots of the champion's predictions; one without a row is left out."""
    figures: Figures = {}
    if rows := fetch(con, queries.CALIBRATION, run_id=run_id):
        figures["calibration"] = charts.calibration(rows), captions.calibration(rows)
    tables = {
        of: wide_enough(fetch(con, query, run_id=run_id))
        for of, query in (("movie", queries.MOVIE_ERRORS), ("user", queries.USER_ERRORS))
    }
    if not all(tables.values()):
        return figures
    limits = charts.error_limits(*tables.values())
    for of, rows in tables.items():
        plot, caption = charts.error_by_count(rows, of, limits), captions.error_by_count(rows, of)
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


def recipe_words(recipe: dict[str, Any]) -> str:
    """The hyperparameters of a recipe, such as `epochs 4, lr_max 0.0131`."""
    values = {k: v for k, v in recipe["estimator"].items() if k not in {"estimator", "model"}}
    told = {**values.pop("arguments", {}), **values}
    return ", ".join(f"{name} {value}" for name, value in told.items())
