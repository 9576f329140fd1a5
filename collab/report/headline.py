"""The head of the report: the champion's error beside the book's and published numbers."""

import math
from typing import Any

from collab.report.captions import beside, listing
from collab.report.queries import Rows
from collab.report.reference import BOOK_BEST, BOOK_EDITION, book_mse, published_for


def lede(champion: dict[str, Any], error: dict[str, Any], info: dict[str, Any]) -> str:
    """The finding in a few sentences."""
    mse = champion["valid_mse"]
    said = f"On {champion['n_valid']:,} ratings it never saw, its mean squared error is {mse:.4f}"
    if math.isfinite(error["margin"] or math.nan):
        said += f" (95 % interval ± {error['margin']:.3f})"
    if info["expected_sd"] is not None:
        said = f"{over_splits(info)}{beside_the_book(info)}. {said} on the first of them"
    else:
        said += beside_the_book(info)
    if len(info["shares_first_place"]) > 1:
        said += f". The first place is shared by {listing(info['shares_first_place'])}"
    level = f"always predicting the mean, {error['mean_rating']:.2f} stars, would give"
    return f"{said}. For scale: {level} {error['mean_mse']:.4f}."


def over_splits(info: dict[str, Any]) -> str:
    """What it errs on several splits: no lucky one is the headline."""
    mean, spread = info["expected_mse"], info["expected_sd"]
    n = len(info["chosen_on"])
    return f"Over {n} splits its mean squared error is {mean:.4f} ± {spread:.4f}"


def beside_the_book(info: dict[str, Any]) -> str:
    """How that compares with the book; empty for editions that it does not speak of."""
    if info["edition"] != BOOK_EDITION:
        return ""
    return f": {beside(info['expected_mse'], BOOK_BEST.mse, 'the best of the book')}"


def comparison(champion: dict[str, Any], info: dict[str, Any]) -> Rows:
    """The champion among the published results, lowest MSE first, each with its place on a line."""
    n = len(info["chosen_on"])
    tested_on = champion["split_name"] if n == 1 else f"mean of {n} splits"
    own = {"kind": "own", "source": "this run", "tested_on": tested_on}
    rows: Rows = [{**own, "system": champion["variant"], "mse": info["expected_mse"]}]
    for result in published_for(info["edition"]):
        kind = "book" if result is BOOK_BEST else "other"
        rows.append({**vars(result), "kind": kind})
    return placed(sorted(rows, key=lambda row: row["mse"]), "mse")


def leaderboard(rows: Rows, edition: str) -> Rows:
    """The runs, each with the book's MSE of its variant, placed on the line of both."""
    named = [{**row, "book_mse": book_mse(edition, row["variant"])} for row in rows]
    return placed(named, "valid_mse", "book_mse")


def placed(rows: Rows, *names: str) -> Rows:
    """The rows with `<name>_at` for each name: its place from the lowest to the highest, in %."""
    values = [row[name] for row in rows for name in names if row[name] is not None]
    low, span = min(values), (max(values) - min(values)) or 1.0
    return [
        {
            **row,
            **{
                f"{name}_at": round(100 * (row[name] - low) / span, 1)
                for name in names
                if row[name] is not None
            },
        }
        for row in rows
    ]
