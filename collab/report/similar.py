"""The movies of the search box and their neighbours, as compact JSON."""

import json
from itertools import groupby
from typing import Any

import duckdb

from collab.report.queries import NEIGHBORS, TITLES, Rows, fetch

# Of large editions the most rated movies only: the page has to stay light.
MOVIES_SHOWN = 4_000
NEIGHBORS_SHOWN = 10
BYTES = 450_000  # as JSON: of the 2 MB of a page, 0.9 are what draws the plots


def similar_movies(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The most rated movies, most rated first, each with its most similar ones.

    There are 4,000 at most, and fewer where their neighbours are so many other movies that their
    titles would not fit.

    Returns:
        `titles` and `ratings` (numbers of ratings) of every movie named, those that can be looked
        up first; for each of these `folded`, what a query is compared with, and `near`, places in
        `titles` and similarities in hundredths by turns.
    """
    pairs = fetch(con, NEIGHBORS, movies=MOVIES_SHOWN, k=NEIGHBORS_SHOWN)
    near = {item: list(rows) for item, rows in groupby(pairs, key=lambda row: row["item_id"])}
    ids = list({*near, *(row["neighbor_id"] for row in pairs)})
    named = {row["item_id"]: row for row in fetch(con, TITLES, ids=ids)}
    found = gathered(near, named)
    while (size := bytes_of(found)) > BYTES:
        # what a movie takes hardly depends on which it is; a little less, so that it ends
        most = int(0.98 * len(near) * BYTES / size)
        near = dict(list(near.items())[:most])
        found = gathered(near, named)
    return found


def gathered(near: dict[int, Rows], named: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Movies and their neighbours as `similar_movies` returns them."""
    others = (row["neighbor_id"] for rows in near.values() for row in rows)
    ids = list(dict.fromkeys([*near, *others]))
    place = {item: at for at, item in enumerate(ids)}
    return {
        "ids": list(near),
        "titles": [named[item]["title"] for item in ids],
        "ratings": [named[item]["n_ratings"] for item in ids],
        "folded": [named[item]["title_folded"] for item in near],
        "near": [
            [
                value
                for row in rows
                for value in (place[row["neighbor_id"]], round(row["similarity"] * 100))
            ]
            for rows in near.values()
        ],
    }


def bytes_of(found: dict[str, Any]) -> int:
    """What it takes on the page."""
    return len(json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode())
