"""What is asked of the tables: `similar`, `bias`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from collab.base.errors import CollabError, unknown_name
from collab.cli.app import Count, shown
from collab.cli.models import BIASED, EXTREMES_IN, LIKE, neighbors_in, require_model
from collab.cli.output import TERMINAL, Column, Out, Output
from collab.cli.place import Here, Place, app
from collab.cli.rows import Rows

MATCHES_SHOWN = 50
TABLES_AT_ONCE = 5  # neighbours of so many movies are shown; of more, the movies alone
FIND = """
    SELECT item_id, any_value(title) AS title, sum(n_ratings)::INTEGER AS n_ratings
    FROM find_movie($q) GROUP BY item_id ORDER BY n_ratings DESC, item_id"""
NEIGHBORS = """
    SELECT item_id, title, rank, neighbor_id, neighbor, similarity, sd, share, neighbor_ratings
    FROM movie_neighbors WHERE item_id IN (SELECT unnest($ids)) AND rank <= $k
    ORDER BY list_position($ids, item_id), rank"""
EXTREMES = """
    SELECT rank, item_id, title, bias, sd, n_ratings, mean_rating FROM movie_bias_named
    WHERE n_ratings >= $least AND ($genre IS NULL OR list_contains(genres, $genre))
    QUALIFY row_number() OVER (ORDER BY rank) <= $top
         OR row_number() OVER (ORDER BY rank DESC) <= $bottom
    ORDER BY rank"""
MATCH = (Column("item_id", "d", "id"), Column("title"), Column("n_ratings", "d", "ratings"))
NEIGHBOR: Sequence[Column] = (
    Column("rank", "d"),
    Column("neighbor", head="title"),
    Column("similarity", ".2f"),
    Column("sd", ".2f", "±"),
    Column("neighbor_ratings", "d", "ratings"),
    Column("neighbor_id", "d", "id"),
    Column("share", ".0%", "in the 20"),
)
BIAS = (
    Column("rank", "d"),
    Column("title"),
    Column("bias", ".2f"),
    Column("sd", ".2f", "±"),
    Column("n_ratings", "d", "ratings"),
    Column("mean_rating", ".2f", "mean rating"),
)


@app.command(
    help_epilogue=shown(
        'collab similar "Silence of the Lambs"',
        "collab similar 98 -k 20",
        "collab similar alien --json",
        'collab similar "Silence of the Lambs" --model embedding_dot_bias',
    )
)
def similar(
    movie: str,
    /,
    *,
    k: Annotated[Count, Parameter(name="-k")] = 10,
    model: str | None = None,
    out: Out = TERMINAL,
    place: Here,
) -> None:
    """Show the movies most like one; where many fit, those movies.

    Where the model knows how sure it is: ± is the standard deviation of the
    similarity, and `in the 20` how often the neighbour is among the 20 nearest
    when the model is drawn anew.

    Args:
        movie: A part of its title, or its id.
        k: How many, up to 20.
        model: By the factors of this run of the leaderboard, named by its variant or run id, and
            plain cosine as in the book.
    """
    if model:
        require_model(place, model, "run_factors")
    # digits are an id where there is such a movie, else a part of a title, such as 2001
    matches = place.rows(FIND, q=int(movie) if movie.isdecimal() else movie)
    if movie.isdecimal() and not matches.values:
        matches = place.rows(FIND, q=movie)
    found = list(matches.values)
    if not found:
        raise CollabError(f"No movie fits {movie!r}. Give a part of its title, or its id.")
    if len(found) > TABLES_AT_ONCE:
        choose(movie, matches, out)
        return
    ids = [item_id for item_id, *_ in found]
    if model:
        rows, columns = neighbors_in(place, model, ids, k), LIKE
    else:
        rows, columns = place.rows(NEIGHBORS, ids=ids, k=k), NEIGHBOR
    if not out.for_eyes:
        out.rows(rows, columns=(Column("title", head="movie"), *columns))
        return
    for item_id, title, n_ratings in found:
        of = replace(rows, values=[row for row in rows.values if row[0] == item_id])
        out.rows(of, f"Like {title} (id {item_id}, {n_ratings} ratings){by(model)}", columns)


def choose(movie: str, matches: Rows, out: Output) -> None:
    """Show the movies that fit.

    Raises:
        CollabError: another program waits for neighbours.
    """
    found = list(matches.values)
    title, such = f"{len(found)} movies fit {movie!r}", f"collab similar {found[0][0]}"
    if not out.for_eyes:
        raise CollabError(f"{title}; choose one by its id, such as: {such}")
    out.rows(replace(matches, values=found[:MATCHES_SHOWN]), title, MATCH)
    if len(found) > MATCHES_SHOWN:
        out.say(f"The {MATCHES_SHOWN} most rated of them; a longer part of a title fits fewer.")
    out.say(f"Choose one by its id, such as: {such}")


@app.command(
    help_epilogue=shown(
        "collab bias --top 5 --bottom 5 --min-ratings 50",
        "collab bias --genre drama --bottom 0 --md",
        "collab bias --model dot_product_bias_wd",
    )
)
def bias(
    *,
    top: Count = 10,
    bottom: Count = 10,
    min_ratings: Count = 0,
    genre: str | None = None,
    model: str | None = None,
    out: Out = TERMINAL,
    place: Here,
) -> None:
    """Show the movies of the highest and of the lowest bias.

    Args:
        top: How many of the highest.
        bottom: How many of the lowest.
        min_ratings: Only movies with as many ratings: few make a bias uncertain.
        genre: Only movies of a genre.
        model: As this run of the leaderboard learnt them, named by its variant or run id.
    """
    of = known_genre(place, genre) if genre else None
    if model:
        require_model(place, model)
    asked = {"top": top, "bottom": bottom, "least": min_ratings, "genre": of}
    rows = place.rows(
        EXTREMES_IN if model else EXTREMES, **asked, **({"model": model} if model else {})
    )
    if not rows.values:
        raise CollabError(
            f"No movie{f' of genre {of}' if of else ''} has {min_ratings} ratings and a place in "
            f"--top {top} or --bottom {bottom}; lower --min-ratings or ask for more."
        )
    out.rows(rows, f"Bias of movies{by(model)}, highest first", BIASED if model else BIAS)


def by(model: str | None) -> str:
    """Whose figures they are, where those of a run are asked for."""
    return f", by {model}" if model else ""


def known_genre(place: Place, name: str) -> str:
    """A genre as the edition writes it, whatever its case.

    Raises:
        CollabError: there is none of that name; names the nearest.
    """
    genres = {genre.casefold(): genre for (genre,) in place.ask("SELECT genre FROM genre_bias")}
    if name.casefold() not in genres:
        raise unknown_name("genre", name, sorted(genres.values()))
    return str(genres[name.casefold()])
