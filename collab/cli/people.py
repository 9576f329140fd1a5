"""What people would like: `predict`, `recommend`, `ask`."""

from typing import Annotated

import duckdb
from cyclopts import Parameter

from collab import people
from collab.base.errors import CollabError
from collab.cli.app import Count, shown
from collab.cli.output import TERMINAL, Column, Out
from collab.cli.place import Here, Place, app
from collab.cli.queries import known_genre
from collab.cli.rows import Rows

PREDICTED = (
    Column("title"),
    Column("prediction", ".2f", "stars"),
    Column("low", ".1f", "95 % from"),
    Column("high", ".1f", "to"),
    Column("rating", ".1f", "gave"),
    Column("n_ratings", "d", "ratings"),
    Column("item_id", "d", "id"),
    Column("because"),
)
RECOMMENDED = (
    Column("rank", "d"),
    Column("title"),
    Column("prediction", ".2f", "stars"),
    Column("cautious", ".1f", "at least"),
    Column("because"),
    Column("n_ratings", "d", "ratings"),
    Column("item_id", "d", "id"),
)
ASKED = (
    Column("rank", "d"),
    Column("title"),
    Column("known", ".0%", "know it"),
    Column("variance_left", ".0%", "still open"),
    Column("n_ratings", "d", "ratings"),
    Column("item_id", "d", "id"),
)


@app.command(help_epilogue=shown("collab predict 42 Alien", "collab predict 42 183 --json"))
def predict(user: Count, movie: str, /, *, out: Out = TERMINAL, place: Here) -> None:
    """Show what a user would give to a movie, and to others that the title fits.

    The 95 % interval is of the rating: what the user's other ratings leave open, what the movie's
    leave open, and the noise of any rating. `because` is the movie whose rating, high or low,
    speaks most for it. Of a movie that nobody has rated, genres and year alone are known.

    Args:
        user: The user's id.
        movie: A part of its title, or its id.
    """
    rows = read(people.predict(user, movie, place.con))
    out.rows(rows, f"What user {user} would give", PREDICTED)
    names = ("title", "prediction", "n_ratings")
    title, prediction, n_ratings = (rows.names.index(name) for name in names)
    for row in rows.values:
        if row[prediction] is None:
            out.say(f"{row[title]}: nobody has rated it, so nothing is predicted.")
        elif row[n_ratings] == 0:
            out.say(f"{row[title]}: nobody has rated it; this is from its genres and year alone.")


@app.command(
    help_epilogue=shown(
        "collab recommend 42 --genre drama --from 1990 --min-ratings 50",
        'collab recommend --rated "Alien=5" --rated "Titanic=2"',
    )
)
def recommend(
    user: Count | None = None,
    /,
    *,
    rated: Annotated[tuple[str, ...], Parameter(metavar="MOVIE=STARS")] = (),
    k: Annotated[Count, Parameter(name="-k")] = 10,
    genre: str | None = None,
    year_from: Annotated[Count | None, Parameter(name="--from", metavar="YEAR")] = None,
    year_to: Annotated[Count | None, Parameter(name="--to", metavar="YEAR")] = None,
    min_ratings: Count = 0,
    out: Out = TERMINAL,
    place: Here,
) -> None:
    """Show what a user, or someone new, should watch.

    `at least` is what the rating exceeds nine times of ten; `because` is the movie whose rating,
    high or low, speaks most for it.

    Args:
        user: The user's id; leave it out for someone new.
        rated: A movie that someone new rated and the stars; may be given several times.
        k: How many.
        genre: Only movies of a genre.
        year_from: Only movies of this year or later.
        year_to: Only movies of this year or earlier.
        min_ratings: Only movies with as many ratings: few make a prediction uncertain.
    """
    if (user is None) == (not rated):
        raise CollabError(
            'Give a user\'s id, or what someone new rated: collab recommend --rated "Alien=5"'
        )
    of = known_genre(place, genre) if genre else None
    which = {"genre": of, "year_from": year_from, "year_to": year_to, "min_ratings": min_ratings}
    if user is None:
        ratings = dict(map(rating_of, rated))
        rows = read(people.recommend_for(ratings, k, **which, con=place.con))  # type: ignore[arg-type]
        title = f"For who gave {understood(place, ratings)}"
    else:
        rows = read(people.recommend(user, k, **which, con=place.con))  # type: ignore[arg-type]
        title = f"For user {user}"
    if not rows.values:
        raise CollabError("No movie is left: all that fit are rated. Ask for more years or genres.")
    out.rows(rows, title, RECOMMENDED)


@app.command(help_epilogue=shown("collab ask -k 5"))
def ask(
    *,
    k: Annotated[Count, Parameter(name="-k")] = 10,
    out: Out = TERMINAL,
    place: Here,
) -> None:
    """Show which movies to ask someone new about: those whose ratings tell most.

    `know it` is the share of users who rated it; `still open` how much of what is not known of
    someone's taste is expected to be left after asking up to there.

    Args:
        k: How many, up to 50.
    """
    out.rows(read(people.ask(k, place.con)), "What to ask someone new, in this order", ASKED)
    out.say('Then: collab recommend --rated "TITLE=STARS" --rated ...')


def rating_of(text: str) -> tuple[str | int, float]:
    """A movie and stars from `Alien=5`.

    Raises:
        CollabError: it is none.
    """
    movie, _, stars = text.rpartition("=")
    try:
        given = float(stars)
    except ValueError:
        given = float("nan")
    if not movie.strip() or given != given:
        raise CollabError(f'--rated {text!r} is no movie with stars, such as "Alien=5".')
    return movie.strip(), given


def understood(place: Place, ratings: people.Ratings) -> str:
    """Which movies are meant, with their stars."""
    found = ((people.find_item(place.con, movie)[1], stars) for movie, stars in ratings.items())
    return ", ".join(f"{title} {stars:g}" for title, stars in found)


def read(relation: duckdb.DuckDBPyRelation) -> Rows:
    """All rows of a relation."""
    types = [str(kind) for kind in relation.types]
    return Rows(names=relation.columns, types=types, values=relation.fetchall())
