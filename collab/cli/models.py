"""What one run of the leaderboard learnt, where `similar` and `bias` are asked for a model."""

from typing import Any

from collab.base.errors import CollabError, unknown_name
from collab.cli.place import Place

NEIGHBORS = """
    SELECT rank, neighbor, cosine, neighbor_ratings, neighbor_id
    FROM similar_in($model, $id, k := $k, min_ratings := $least)"""
EXTREMES = """
    SELECT r.rank, title, r.bias, b.n_ratings, mean_rating
    FROM run_bias AS r JOIN movie_bias AS b USING (item_id) JOIN movies AS m ON m.movie_id = item_id
    WHERE (r.run_id = $model OR variant = $model) AND b.n_ratings >= $least
      AND ($genre IS NULL OR list_contains(genres, $genre))
    QUALIFY row_number() OVER (ORDER BY r.rank) <= $top
         OR row_number() OVER (ORDER BY r.rank DESC) <= $bottom
    ORDER BY r.rank"""
LIKE = {"rank": "d", "title": "", "cosine": ".2f", "ratings": "d", "id": "d"}
BIASED = {"rank": "d", "title": "", "bias": ".2f", "ratings": "d", "mean rating": ".2f"}


def require_model(place: Place, model: str, table: str = "run_bias") -> None:
    """Refuse what is no run with factors.

    Raises:
        CollabError: it is none; names the nearest. Or this publication leaves the table out.
    """
    found = place.ask(f"SELECT DISTINCT variant, run_id FROM {table} ORDER BY ALL")  # noqa: S608
    if not found:
        raise CollabError(
            f"This publication holds no {table}, as publish_info.left_out says; without --model "
            "the release is asked."
        )
    if not any(model in names for names in found):
        raise unknown_name("model with factors", model, [variant for variant, _ in found])


def neighbors_in(place: Place, model: str, item: int, k: int, least: int) -> list[tuple[Any, ...]]:
    """The most similar items by the factors of a run, with the columns of `LIKE`."""
    return place.ask(NEIGHBORS, model=model, id=item, k=k, least=least)


def extremes_in(place: Place, model: str, **asked: Any) -> list[tuple[Any, ...]]:
    """The highest and lowest biases of a run, with the columns of `BIASED`."""
    return place.ask(EXTREMES, model=model, **asked)
