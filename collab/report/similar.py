"""The movies of the search box and their neighbours, as compact JSON."""

from itertools import groupby
from typing import Any

import duckdb

from collab.report.queries import NEIGHBORS, TITLES, fetch

# Of large editions the most rated movies only: the page has to stay light.
MOVIES_SHOWN = 4_000
NEIGHBORS_SHOWN = 10


def similar_movies(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The most rated movies, most rated first, each with its most similar ones.

    Returns:
        `titles` and `ratings` (numbers of ratings) of every movie named, those that can be looked
        up first; `near`, for each of these, places in `titles` and similarities in thousandths by
        turns.
    """
    pairs = fetch(con, NEIGHBORS, movies=MOVIES_SHOWN, k=NEIGHBORS_SHOWN)
    found = {item: list(rows) for item, rows in groupby(pairs, key=lambda row: row["item_id"])}
    ids = list(dict.fromkeys([*found, *(row["neighbor_id"] for row in pairs)]))
    place = {item: at for at, item in enumerate(ids)}
    named = {row["item_id"]: row for row in fetch(con, TITLES, ids=ids)}
    return {
        "titles": [named[item]["title"] for item in ids],
        "ratings": [named[item]["n_ratings"] for item in ids],
        "near": [
            [
                value
                for row in rows
                for value in (place[row["neighbor_id"]], round(row["similarity"] * 1000))
            ]
            for rows in found.values()
        ],
    }
