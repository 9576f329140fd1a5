"""What is asked of the tables: `similar`, `bias`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from collab.base.errors import CollabError, unknown_name
from collab.cli.app import Count, shown
from collab.cli.models import BIASED, EXTREMES_IN, LIKE, NEIGHBORS_IN, require_model
from collab.cli.output import TERMINAL, Column, Out, Output
from collab.cli.place import Here, Place, app
from collab.cli.rows import Rows

MATCHES_SHOWN = 50
TABLES_AT_ONCE = 5  # neighbours of so many movies are shown; of more, the movies alone
WELL_KNOWN = 50  # ratings from which on a bias is worth reading
FIND = """
    WITH found AS (SELECT item_id, min(fit) AS fit FROM find_movie($q) GROUP BY item_id),
    rated AS (SELECT item_id, sum(n_ratings)::INTEGER AS n_ratings FROM movies GROUP BY item_id)
    SELECT found.item_id, title, rated.n_ratings, fit
    FROM found JOIN rated USING (item_id) JOIN movies AS m ON m.movie_id = found.item_id
    ORDER BY fit, rated.n_ratings DESC, found.item_id"""
CLOSEST = "SELECT title FROM close_titles($q, k := 1)"
POPULAR = "SELECT popular_from FROM publish_info"
NEIGHBORS = """
    SELECT item_id, title, rank, neighbor_id, neighbor, similarity, sd, share, neighbor_ratings,
           if(neighbor_ratings < popular_from, 'few', '') AS _few
    FROM similar_movies($id, k := $k, min_ratings := $least), publish_info ORDER BY rank"""
RARER = """
    SELECT count(*) FROM movie_similarity JOIN movie_bias AS b ON b.item_id = neighbor_id
    WHERE movie_similarity.item_id = $id AND movie_similarity.rank <= $k AND n_ratings < $least"""
LEFT_OUT = """
    SELECT count(*) FROM movie_bias_named
    WHERE n_ratings < $least AND ($genre IS NULL OR list_contains(genres, $genre))"""
EXTREMES = """
    SELECT rank, item_id, title, bias, sd, n_ratings, mean_rating FROM movie_bias_named
    WHERE n_ratings >= $least AND ($genre IS NULL OR list_contains(genres, $genre))
    QUALIFY row_number() OVER (ORDER BY rank) <= $top
         OR row_number() OVER (ORDER BY rank DESC) <= $bottom
    ORDER BY rank"""
FIT = 3  # 1 where the title or the id itself was given
MATCH = (Column("item_id", "d", "id"), Column("title"), Column("n_ratings", "d", "ratings"))
NEIGHBOR: Sequence[Column] = (
    Column("rank", "d"),
    Column("neighbor", head="title"),
    Column("similarity", ".2f"),
    Column("sd", ".2f", "±"),
    Column("neighbor_ratings", "d", "ratings"),
    Column("_few", head=""),
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
    min_ratings: Count | None = None,
    model: str | None = None,
    out: Out = TERMINAL,
    place: Here,
) -> None:
    """Show the movies most like one; where many fit, those movies.

    Where the model knows how sure it is: ± is the standard deviation of the
    similarity, and `in the 20` how often the neighbour is among the 20 nearest
    when the model is drawn anew.

    Args:
        movie: Its title, words of it in any order, or its id.
        k: How many, up to 20.
        min_ratings: Only neighbours with as many ratings; 0 for all. By default those that make a
            movie popular in the edition (publish_info.popular_from).
        model: By the factors of this run of the leaderboard, named by its variant or run id, and
            plain cosine as in the book.
    """
    if model:
        require_model(place, model, "run_factors")
    matches = fitting(place, movie)
    found = list(matches.values)
    exact = [match for match in found if match[FIT] == 1] or found
    if len(exact) > TABLES_AT_ONCE:
        choose(movie, matches, out)
        return
    ((popular,),) = place.ask(POPULAR)
    least = popular if min_ratings is None else min_ratings
    query, columns = (NEIGHBORS_IN, LIKE) if model else (NEIGHBORS, NEIGHBOR)
    of = {"model": model} if model else {}
    near = [place.rows(query, id=match[0], k=k, least=least, **of) for match in exact]
    if not out.for_eyes:
        every = [row for rows in near for row in rows.values]
        out.rows(replace(near[0], values=every), columns=(Column("title", head="movie"), *columns))
        return
    for (item_id, title, n_ratings, _), rows in zip(exact, near, strict=True):
        out.rows(rows, f"Like {title} (id {item_id}, {n_ratings} ratings){by(model)}", columns)
        if not model:
            remark(place, out, item_id, k, least)
    if others := found[len(exact) :]:
        such = f"such as {others[0][1]} (id {others[0][0]})"
        out.say(f"{movie!r} fits {len(others)} more, {such}; choose one by its id.")


def remark(place: Place, out: Output, item_id: int, k: int, least: int) -> None:
    """Say which neighbours are not shown, if there are any."""
    ((rarer,),) = place.ask(RARER, id=item_id, k=k, least=least)
    if rarer:
        out.say(
            f"Among movies with at least {least} ratings; of the {k} nearest of all {rarer} have "
            "fewer (--min-ratings 0)."
        )


def fitting(place: Place, movie: str) -> Rows:
    """The movies that words of a title or an id fit, as `FIND` tells them, best fit first.

    Raises:
        CollabError: none does; names the one whose title is closest.
    """
    # digits are an id where there is such a movie, else a part of a title, such as 2001
    for q in [*([int(movie)] if movie.isdecimal() else []), movie]:
        found = place.rows(FIND, q=q)
        if found.values:
            return found
    close = [f"Did you mean {title}?" for (title,) in place.ask(CLOSEST, q=movie)]
    hint = "Give words of its title, or its id."
    raise CollabError(" ".join([f"No movie fits {movie!r}.", *(close or [hint])]))


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
        out.say(f"The {MATCHES_SHOWN} that fit best; a longer part of a title fits fewer.")
    out.say(f"Choose one by its id, such as: {such}")


@app.command(
    help_epilogue=shown(
        "collab bias --top 5 --bottom 5 --min-ratings 100",
        "collab bias --genre drama --bottom 0 --md",
        "collab bias --model dot_product_bias_wd",
    )
)
def bias(
    *,
    top: Count = 10,
    bottom: Count = 10,
    min_ratings: Count = WELL_KNOWN,
    genre: str | None = None,
    model: str | None = None,
    out: Out = TERMINAL,
    place: Here,
) -> None:
    """Show the movies of the highest and of the lowest bias.

    Args:
        top: How many of the highest.
        bottom: How many of the lowest.
        min_ratings: Only movies with as many ratings: few make a bias uncertain. 0 for all.
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
    zero = "" if model else "; 0 is the mean over all ratings"
    out.rows(rows, f"Bias of movies{by(model)}, highest first{zero}", BIASED if model else BIAS)
    ((left_out,),) = place.ask(LEFT_OUT, least=min_ratings, genre=of)
    if left_out:
        out.say(
            f"Of movies with at least {min_ratings} ratings; {left_out} with fewer are left out "
            "(--min-ratings 0)."
        )


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
