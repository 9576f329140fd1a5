"""What people would like, from Python: users of the edition, and whoever rated a few movies.

Each answers with a DuckDB relation, which prints as a table and has `fetchall()` and, where pandas
is installed, `df()`. The macros of the same names, which do the work, say what the columns are.
"""

from collections.abc import Mapping

import duckdb

from collab.base.errors import CollabError
from collab.client import connect

Connection = duckdb.DuckDBPyConnection
Ratings = Mapping[str | int, float]

PREDICT = "FROM predict($user, $movie)"
PREDICT_FOR = "FROM predict_for($ratings, $movie)"
FILTERS = (
    "k := $k, genre := $genre, year_from := $year_from, year_to := $year_to, "
    "min_ratings := $min_ratings"
)
RECOMMEND = f"FROM recommend($user, {FILTERS})"
RECOMMEND_FOR = f"FROM recommend_for($ratings, {FILTERS})"
ASK = """
    SELECT s.rank, title, known, variance_left, b.n_ratings, item_id
    FROM starter_movies AS s JOIN movie_bias AS b USING (item_id) JOIN movies USING (item_id)
    WHERE movie_id = item_id AND s.rank <= $k ORDER BY s.rank"""
# the item of the movie that is meant, and its title
FIND = """
    SELECT m.item_id, title, b.item_id IS NOT NULL
    FROM (FROM find_movie($q) LIMIT 1) AS m LEFT JOIN movie_bias AS b ON b.item_id = m.item_id"""


def predict(
    who: int | Ratings, movie: str | int, con: Connection | None = None
) -> duckdb.DuckDBPyRelation:
    """What someone is expected to give to every movie that a title fits, best known first.

    Args:
        who: a user's id, or what someone new rated, `{"Alien": 5, "Titanic": 2}`.
        movie: a part of a title, or an id.
        con: a connection of `collab.connect`; by default a new one.

    Raises:
        CollabError: nobody, or no movie, is known by that.
    """
    con = con or connect()
    find_item(con, movie)
    movie = meant(con, movie)
    if isinstance(who, int):
        return con.sql(PREDICT, params={"user": known_user(con, who), "movie": movie})
    return con.sql(PREDICT_FOR, params={"ratings": known_ratings(con, who), "movie": movie})


def recommend(
    user: int,
    k: int = 10,
    *,
    genre: str | None = None,
    year_from: int | None = None,
    year_to: int | None = None,
    min_ratings: int = 0,
    con: Connection | None = None,
) -> duckdb.DuckDBPyRelation:
    """The k movies with the highest prediction among those a user has not rated.

    Args:
        user: the user's id.
        k: how many.
        genre: only movies of this one, as the edition writes it.
        year_from: only of this year or later.
        year_to: only of this year or earlier.
        min_ratings: only movies with as many ratings.
        con: a connection of `collab.connect`; by default a new one.

    Raises:
        CollabError: there is no such user.
    """
    con = con or connect()
    which = {"genre": genre, "year_from": year_from, "year_to": year_to}
    given = {"user": known_user(con, user), "k": k, **which, "min_ratings": min_ratings}
    return con.sql(RECOMMEND, params=given)


def recommend_for(
    ratings: Ratings,
    k: int = 10,
    *,
    genre: str | None = None,
    year_from: int | None = None,
    year_to: int | None = None,
    min_ratings: int = 0,
    con: Connection | None = None,
) -> duckdb.DuckDBPyRelation:
    """The same for someone new: stars by title or id, `{"Alien": 5, "Titanic": 2}`.

    Nothing is trained: factors and bias are solved from the published tables, as the champion's own
    `fold_in` does it. Of several movies that a title fits the best known is meant.

    Raises:
        CollabError: a movie is not there or has no ratings, stars are none of the edition, or the
            champion cannot take in anyone new.
    """
    con = con or connect()
    which = {"genre": genre, "year_from": year_from, "year_to": year_to}
    given = {"ratings": known_ratings(con, ratings), "k": k, **which, "min_ratings": min_ratings}
    return con.sql(RECOMMEND_FOR, params=given)


def ask(k: int = 10, con: Connection | None = None) -> duckdb.DuckDBPyRelation:
    """The first k, at most 50, movies to ask someone new about.

    Raises:
        CollabError: the champion cannot take in anyone new.
    """
    con = con or connect()
    takes_in_newcomers(con)
    return con.sql(ASK, params={"k": k})


def known_user(con: Connection, user: int) -> int:
    """A user's id.

    Raises:
        CollabError: nobody of that id has rated anything.
    """
    if con.execute("FROM user_bias WHERE user_id = $user", {"user": user}).fetchall():
        return user
    ((low, high),) = con.execute("SELECT min(user_id), max(user_id) FROM user_bias").fetchall()
    raise CollabError(
        f"No user {user} has rated anything here; ids go from {low} to {high}. For someone new "
        'say what they rated, such as: collab recommend --rated "Alien=5" --rated "Titanic=2"'
    )


def meant(con: Connection, movie: str | int) -> str | int:
    """Digits as an id where there is such a movie, else as a part of a title, such as 2001."""
    if isinstance(movie, str) and movie.isdecimal():
        query = "SELECT movie_id FROM movies WHERE movie_id = try_cast($q AS INTEGER)"
        for (number,) in con.execute(query, {"q": movie}).fetchall():
            return int(number)
    return movie


def find_item(con: Connection, movie: str | int) -> tuple[int, str, bool]:
    """Item, title and whether it has ratings, of the best known movie that fits.

    Raises:
        CollabError: none does.
    """
    found = con.execute(FIND, {"q": meant(con, movie)}).fetchall()
    if not found:
        raise CollabError(f"No movie fits {movie!r}. Give a part of its title, or its id.")
    ((item, title, is_rated),) = found
    return int(item), str(title), bool(is_rated)


def known_ratings(con: Connection, ratings: Ratings) -> list[dict[str, float]]:
    """Ratings of items, as the macros take them.

    Raises:
        CollabError: as `recommend_for`.
    """
    takes_in_newcomers(con)
    if not ratings:
        raise CollabError('Nothing is rated; give at least one movie, such as {"Alien": 5}.')
    query = "SELECT clip_low, clip_high FROM publish_info"
    ((low, high),) = con.execute(query).fetchall()
    found: dict[int, float] = {}
    for movie, stars in ratings.items():
        item, title, is_rated = find_item(con, movie)
        if not low <= stars <= high:
            raise CollabError(f"{title}: {stars:g} stars; ratings go from {low:g} to {high:g}.")
        if not is_rated:
            raise CollabError(f"{title} has no ratings here, so yours tells nothing; leave it out.")
        if item in found:
            raise CollabError(f"{title} is rated twice; say it once, or more of the other's title.")
        found[item] = float(stars)
    return [{"movie": item, "stars": stars} for item, stars in found.items()]


def takes_in_newcomers(con: Connection) -> None:
    """Refuse where the champion does not.

    Raises:
        CollabError: it does not.
    """
    query = "SELECT champion_variant FROM publish_info WHERE NOT EXISTS (FROM newcomer)"
    for (variant,) in con.execute(query).fetchall():
        raise CollabError(
            f"The champion, {variant}, cannot take in anyone new; a publication of als or "
            "bayesian_mf can: `python -m flows.pipeline --variants als`."
        )
