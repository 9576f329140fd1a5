"""What one run of the leaderboard learnt, where `similar` and `bias` are asked for a model."""

from collections.abc import Sequence

from collab.base.errors import CollabError, unknown_name
from collab.cli.output import Column
from collab.cli.place import Place

NEIGHBORS_IN = """
    SELECT item_id, title, rank, neighbor_id, neighbor, cosine, neighbor_ratings
    FROM similar_in($model, $id, k := $k, min_ratings := $least)"""
EXTREMES_IN = """
    SELECT r.rank, item_id, title, r.bias, b.n_ratings, mean_rating
    FROM run_bias AS r JOIN movie_bias AS b USING (item_id) JOIN movies AS m ON m.movie_id = item_id
    WHERE (r.run_id = $model OR variant = $model) AND b.n_ratings >= $least
      AND ($genre IS NULL OR list_contains(genres, $genre))
    QUALIFY row_number() OVER (ORDER BY r.rank) <= $top
         OR row_number() OVER (ORDER BY r.rank DESC) <= $bottom
    ORDER BY r.rank"""
LIKE: Sequence[Column] = (
    Column("rank", "d"),
    Column("neighbor", head="title"),
    Column("cosine", ".2f"),
    Column("neighbor_ratings", "d", "ratings"),
    Column("neighbor_id", "d", "id"),
)
BIASED = (
    Column("rank", "d"),
    Column("title"),
    Column("bias", ".2f"),
    Column("n_ratings", "d", "ratings"),
    Column("mean_rating", ".2f", "mean rating"),
)


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
