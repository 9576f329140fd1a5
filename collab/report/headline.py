"""The models in a few words: the champion's error beside the book's and published numbers."""

import math
from typing import Any

from collab.report.captions import beside, listing
from collab.report.queries import Rows
from collab.report.reference import BOOK_BEST, BOOK_EDITION, book_mse
from collab.report.strips import Scale, placed, round_scale

PARTS = {5: "a random fifth", 10: "a random tenth"}  # as published results name them


def title(counts: dict[str, Any]) -> str:
    """What the page is about, in a line."""
    return f"What {counts['n_ratings']:,} ratings tell about {counts['n_items']:,} movies"


def about(counts: dict[str, Any], *, newcomers: bool) -> str:
    """What the page is, in one sentence."""
    found = [
        "which movies are alike",
        "which are liked more than their kind suggests",
        *(["what you might like yourself"] if newcomers else []),
        "how far its predictions can be trusted",
    ]
    return (
        f"A model that learnt the taste of {counts['n_users']:,} people from their ratings alone, "
        f"and what can be read off it: {listing(found)}."
    )


def lede(champion: dict[str, Any], error: dict[str, Any], info: dict[str, Any]) -> str:
    """How well the champion predicts, in a few sentences."""
    mse = champion["valid_mse"]
    said = f"On {champion['n_valid']:,} ratings it never saw, its mean squared error is {mse:.4f}"
    if math.isfinite(error["margin"] or math.nan):
        said += f" (95 % interval ±\N{NO-BREAK SPACE}{error['margin']:.3f})"
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


def comparison(
    champion: dict[str, Any], info: dict[str, Any], published: Rows
) -> tuple[list[tuple[str, Rows]], Scale | None]:
    """The champion and the published results by the ratings they were measured on, ours first.

    Returns:
        Protocols, each with its results, lowest MSE first, and the scale that all stand on;
        nothing and None where nobody published any.
    """
    rows = [own_result(champion, info)]
    if info["edition"] == BOOK_EDITION:
        rows.append({**vars(BOOK_BEST), "kind": "book"})
    rows += [{**row, "kind": "other"} for row in published]
    if len(rows) == 1:
        return [], None
    scale = round_scale(row["mse"] for row in rows)
    first, *rest = placed(rows, scale, "mse")
    ordered = sorted([first, *rest], key=lambda row: row["mse"])
    names = dict.fromkeys([first["protocol"], *(row["protocol"] for row in ordered)])
    return [(name, [row for row in ordered if row["protocol"] == name]) for name in names], scale


def own_result(champion: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    """The champion as a published result: its mean over the splits on which it was chosen."""
    n = len(info["chosen_on"])
    return {
        "kind": "own",
        "system": champion["variant"],
        "mse": info["expected_mse"],
        "protocol": protocol_words(champion["protocol"], champion["valid_pct"], info["chosen_on"]),
        "caveat": "" if n == 1 else f"mean of {n} splits",
        "source": "this publication",
    }


def protocol_words(protocol: str, share: float, splits: list[str]) -> str:
    """A protocol as `published_benchmarks` names it, where it has one of its kind."""
    for parts, words in PARTS.items():
        if protocol == "random" and math.isclose(share, 1 / parts, abs_tol=1e-6):
            return words
    return f"the fixed split {splits[0]}" if len(splits) == 1 else listing(splits)


def leaderboard(rows: Rows, edition: str) -> tuple[Rows, Scale]:
    """The runs with the book's MSE of their variants, placed on the scale of both."""
    named = [{**row, "book_mse": book_mse(edition, row["variant"])} for row in rows]
    names = ("valid_mse", "book_mse")
    scale = round_scale(row[name] for row in named for name in names if row[name] is not None)
    return placed(named, scale, *names), scale
