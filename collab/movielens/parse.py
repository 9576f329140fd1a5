"""Members to tables."""

from pathlib import Path

import duckdb

from collab.base.database import read_parquet
from collab.movielens.editions import Edition, ItemKey
from collab.movielens.layouts import GENRE_FLAGS, Layout, layout_of
from collab.movielens.members import Members
from collab.movielens.ratings import Odd, write_ratings
from collab.movielens.read import literal, quoted, read_member

NO_GENRES = "(no genres listed)"
# the last "(1995)" of a title, also "(1995-1997)", "(1995–)" and "(1995 – )"
YEAR = r".*\(\s*(\d{4})\s*(?:[-–—]\s*(?:\d{4})?\s*)?\)"
NO_GENRE = ("", "nan", "none", "null", NO_GENRES)  # what other programs write where there is none


def parse(
    con: duckdb.DuckDBPyConnection, members: Members, edition: Edition, key: ItemKey, folder: Path
) -> frozenset[str]:
    """Create the relations `ratings`, `movies`, `users` and `folds` from the members.

    - `ratings(position BIGINT, user_id INTEGER, movie_id INTEGER, rating FLOAT, ts BIGINT)`:
      `position` counts from 0 in the archive's order, `ts` is seconds since 1970; a view of
      `ratings.parquet`, which is written into the folder, by user, time and position;
    - `movies(movie_id INTEGER, item_id INTEGER, title VARCHAR, release_year SMALLINT,
      genres VARCHAR[])`: titles as published; an item is a title or a movie, as `key` says, and
      `item_id` its smallest movie id;
    - `users(user_id INTEGER, age SMALLINT, gender VARCHAR, occupation VARCHAR, zip_code VARCHAR)`:
      every user; demographics are NULL where the edition has none;
    - `folds(fold VARCHAR, position BIGINT, user_id INTEGER, movie_id INTEGER)`: the validation rows
      of each fold whose file is in the archive; `position` is NULL where no rating is theirs.

    Returns:
        The names of the checks that hold by the way the ratings were read.

    Raises:
        CollabError: a header or a value is not what the layout says; names the file and the line.
    """
    layout = layout_of(edition)
    proved = create_ratings(con, members, layout, folder / "ratings.parquet")
    read_member(con, members, layout.movies, "raw_movies")
    con.execute(f"CREATE TABLE movies AS {movies_sql(layout, key)}", {"year": YEAR})
    create_users(con, members, layout)
    create_folds(con, members, layout)
    return proved if layout.users else proved | {"user_known"}


def create_ratings(
    con: duckdb.DuckDBPyConnection, members: Members, layout: Layout, path: Path
) -> frozenset[str]:
    """Create `ratings`: a view of the file, or a table where the checks are to say what is wrong.

    Returns:
        The names of the checks that hold.
    """
    try:
        unique = write_ratings(con, members, layout.ratings, path)
    except Odd:
        read_member(con, members, layout.ratings, "raw_ratings")
        con.execute(
            "CREATE TABLE ratings AS SELECT row_number() OVER () - 1 AS position, "
            "user_id, movie_id, rating, ts FROM raw_ratings"
        )
        return frozenset()
    con.execute(f"CREATE VIEW ratings AS FROM {read_parquet(path)}")
    return frozenset({"user_movie_unique"}) if unique else frozenset()


def movies_sql(layout: Layout, key: ItemKey) -> str:
    """The query for `movies` over `raw_movies`."""
    if "genre_list" in layout.movies.columns:
        none = ", ".join(map(literal, NO_GENRE))
        genres = (
            "list_filter(string_split(coalesce(genre_list, ''), '|'), "
            f"lambda g: lower(trim(g)) NOT IN ({none}))"
        )
    else:
        flags = ", ".join(
            f"CASE WHEN {quoted(f'is_{genre}')} = 1 THEN {literal(genre)} END"
            for genre in GENRE_FLAGS
            if genre != "unknown"
        )
        genres = f"list_filter([{flags}], lambda g: g IS NOT NULL)"
    item = "min(movie_id) OVER (PARTITION BY title)" if key == "title" else "movie_id"
    return f"""
        SELECT movie_id, {item} AS item_id, title,
               try_cast(nullif(regexp_extract(title, $year, 1), '') AS SMALLINT) AS release_year,
               {genres} AS genres
        FROM raw_movies"""  # noqa: S608


def create_users(con: duckdb.DuckDBPyConnection, members: Members, layout: Layout) -> None:
    """Create `users`: as published, or the ids of the ratings with unknown demographics."""
    if layout.users:
        read_member(con, members, layout.users, "raw_users")
        con.execute(
            "CREATE TABLE users AS SELECT user_id, age, gender, occupation, zip_code FROM raw_users"
        )
    else:
        con.execute(
            "CREATE TABLE users AS SELECT DISTINCT user_id, NULL::SMALLINT AS age, "
            "NULL::VARCHAR AS gender, NULL::VARCHAR AS occupation, NULL::VARCHAR AS zip_code "
            "FROM ratings ORDER BY user_id"
        )


def create_folds(con: duckdb.DuckDBPyConnection, members: Members, layout: Layout) -> None:
    """Create `folds` from the files of folds that are there."""
    con.execute(
        "CREATE TABLE folds (fold VARCHAR, position BIGINT, user_id INTEGER, movie_id INTEGER)"
    )
    for member in layout.folds:
        if member in members:
            name = member.name.partition(".")[0]
            read_member(con, members, member, f"raw_{name}")
            con.execute(
                "INSERT INTO folds SELECT $fold, position, user_id, movie_id "  # noqa: S608
                f"FROM raw_{name} LEFT JOIN ratings USING (user_id, movie_id, rating, ts)",
                {"fold": name},
            )
