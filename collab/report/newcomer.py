"""What the page needs to predict for someone new by itself: the most rated movies, compactly.

A newcomer's row is a ridge regression on the items' rows x = (factors, 1). In terms of what the
page holds of each item, z = L' x with L L' the prior's covariance, the products of two items' rows
under the prior are plain dot products, and no matrix need be sent. The columns of z are turned to
its principal axes and written as 16-bit integers: with 8 bits the order of close ones would change.
"""

import base64
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from collab.report.queries import Rows, fetch

MOVIES = 2_000
BYTES = 330_000  # of the rows as base64: of the 2 MB of a page, 0.9 are what draws the plots
STARTERS = 50
FULL = 2**15 - 1  # the largest integer of a column

PRIOR = """
    SELECT prior_mean, prior_covariance, noise, unsure, ridge, ridge_share, ridge_power, mean,
           coalesce(clip_low, lowest) AS low, coalesce(clip_high, highest) AS high
    FROM newcomer, publish_info,
         (SELECT min(rating) AS lowest, max(rating) AS highest FROM ratings)"""

ITEMS = """
    SELECT item_id, factors, bias, coalesce(sd, 0) AS sd
    FROM (SELECT unnest($ids) AS item_id, generate_subscripts($ids, 1) AS place)
    JOIN movie_factors USING (item_id) JOIN movie_bias USING (item_id) ORDER BY place"""

ASKED = "SELECT item_id FROM starter_movies ORDER BY rank LIMIT $k"

Floats = NDArray[np.float64]


def newcomer(con: duckdb.DuckDBPyConnection, ids: list[int]) -> dict[str, Any] | None:
    """The model of someone new over the first of these items; None where the champion has none.

    Args:
        con: the published tables.
        ids: items, most rated first; their places are what the page calls them.

    Returns:
        `rows`: little-endian 16-bit integers, item by item, as base64; `scale` of each column;
        `start`: what a newcomer is expected to give each item, stars; `sd`: of its bias; the
        prior's `noise`, `unsure`, `ridge`, `share` and `power`; `low` and `high`: their ends;
        `starters`: places of the movies to ask about first.
    """
    prior = fetch(con, PRIOR)
    if not prior:
        return None
    (found,) = prior
    size = len(found["prior_mean"])
    items = fetch(con, ITEMS, ids=ids[: min(MOVIES, BYTES * 3 // (4 * 2 * size))])
    start, rows = placed(items, found)
    scale = np.abs(rows).max(axis=0) / FULL
    scale[scale == 0] = 1.0
    whole = np.rint(rows / scale).astype("<i2")
    place = {row["item_id"]: at for at, row in enumerate(items)}
    asked = [row["item_id"] for row in fetch(con, ASKED, k=STARTERS)]
    return {
        "rows": base64.b64encode(whole.tobytes()).decode(),
        "scale": [float(f"{value:.9g}") for value in scale],
        "start": [round(value, 5) for value in start.tolist()],
        "sd": [round(row["sd"], 3) for row in items],
        "noise": found["noise"],
        "unsure": found["unsure"],
        "ridge": found["ridge"],
        "share": found["ridge_share"],
        "power": found["ridge_power"],
        "low": found["low"],
        "high": found["high"],
        "starters": [place[item] for item in asked if item in place],
    }


def placed(items: Rows, prior: dict[str, Any]) -> tuple[Floats, Floats]:
    """What a newcomer is expected to give each item (n,), and its row z (n, k + 1)."""
    factors = np.array([row["factors"] for row in items], dtype=np.float64)
    x = np.column_stack([factors, np.ones(len(items))])
    bias = np.array([row["bias"] for row in items], dtype=np.float64)
    start = prior["mean"] + bias + x @ np.array(prior["prior_mean"])
    z = x @ np.linalg.cholesky(np.array(prior["prior_covariance"]))
    left, sizes, _ = np.linalg.svd(z, full_matrices=False)
    return start, left * sizes
