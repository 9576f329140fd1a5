"""What is asked of the tables: `sql`, `similar`, `bias`."""

from pathlib import Path
from typing import Annotated, NamedTuple

import duckdb
from cyclopts import Parameter

from collab.base.errors import CollabError, unknown_name
from collab.cli.app import Count, shown
from collab.cli.place import Here, Place, app
from collab.cli.show import print_table, say, show_rows, write_csv, write_json_rows

MATCHES_SHOWN = 50
TABLES_AT_ONCE = 5  # neighbours of so many movies are shown; of more, the movies alone
FIND = """
    WITH found AS (SELECT item_id, min(fit) AS fit FROM find_movie($q) GROUP BY item_id),
    rated AS (SELECT item_id, sum(n_ratings)::INTEGER AS n FROM movies GROUP BY item_id)
    SELECT found.item_id, title, n, fit FROM found JOIN rated USING (item_id)
    JOIN movies AS m ON m.movie_id = found.item_id ORDER BY fit, n DESC, found.item_id"""
CLOSEST = "SELECT title FROM close_titles($q, k := 1)"
NEIGHBORS = """
    SELECT rank, neighbor, similarity, sd, share, neighbor_ratings, neighbor_id
    FROM similar_movies($id, k := $k)"""
EXTREMES = """
    SELECT rank, title, bias, sd, n_ratings, mean_rating FROM movie_bias_named
    WHERE n_ratings >= $least AND ($genre IS NULL OR list_contains(genres, $genre))
    QUALIFY row_number() OVER (ORDER BY rank) <= $top
         OR row_number() OVER (ORDER BY rank DESC) <= $bottom
    ORDER BY rank"""


class Match(NamedTuple):
    """A movie that a query fits; fit: 1 where it is the title or the id, see title_fit."""

    item_id: int
    title: str
    n_ratings: int
    fit: int


@app.command(help_epilogue=shown('collab sql "FROM movie_bias_named LIMIT 5"'))
def sql(
    query: str,
    /,
    *,
    csv: bool = False,
    json: bool = False,
    parquet: Path | None = None,
    place: Here,
) -> None:
    """Run a query and show its rows.

    Args:
        query: SQL, in DuckDB's dialect.
        csv: All rows as CSV.
        json: All rows as JSON.
        parquet: All rows into this Parquet file.
    """
    con = place.con
    try:
        if not con.extract_statements(query):
            raise CollabError('The query is empty; give one such as "FROM leaderboard".')
        if parquet:
            con.sql(query).write_parquet(str(parquet), compression="zstd")
        elif csv:
            write_csv(con.execute(query))
        elif json:
            write_json_rows(con.execute(query))
        else:
            show_rows(con.sql(query))
    except duckdb.Error as error:
        raise CollabError(str(error).strip().replace("\n\n", "\n")) from error


@app.command(help_epilogue=shown('collab similar "Silence of the Lambs"'))
def similar(movie: str, /, *, k: Annotated[Count, Parameter(name="-k")] = 10, place: Here) -> None:
    """Show the movies most like one; where many fit, those movies.

    Where the model knows how sure it is: ± is the standard deviation of the similarity, and `in the
    20` how often the neighbour is among the 20 nearest when the model is drawn anew.

    Args:
        movie: A part of its title, or its id.
        k: How many, up to 20.
    """
    found = matches(place, movie)
    exact = [match for match in found if match.fit == 1] or found
    if len(exact) > TABLES_AT_ONCE:
        title = f"{len(found)} movies fit {movie!r}"
        rows = [match[:3] for match in found[:MATCHES_SHOWN]]
        print_table(title, {"id": "d", "title": "", "ratings": "d"}, rows)
        if len(found) > MATCHES_SHOWN:
            say(f"The {MATCHES_SHOWN} that fit best; a longer part of a title fits fewer.")
        say(f"Choose one by its id, such as: collab similar {found[0].item_id}")
        return
    sure = {"similarity": ".2f", "±": ".2f", "in the 20": ".0%"}
    columns = {"rank": "d", "title": "", **sure, "ratings": "d", "id": "d"}
    for item_id, title, n_ratings, _ in exact:
        rows = place.ask(NEIGHBORS, id=item_id, k=k)
        print_table(f"Like {title} (id {item_id}, {n_ratings} ratings)", columns, rows)
    if others := found[len(exact) :]:
        such = f"such as {others[0].title} (id {others[0].item_id})"
        say(f"{movie!r} fits {len(others)} more, {such}; choose one by its id.")


def matches(place: Place, movie: str) -> list[Match]:
    """The movies that a part of a title or an id fits, best fit first.

    Raises:
        CollabError: none does; names the one whose title is closest.
    """
    # digits are an id where there is such a movie, else a part of a title, such as 2001
    found = (movie.isdecimal() and place.ask(FIND, q=int(movie))) or place.ask(FIND, q=movie)
    if found:
        return [Match(*row) for row in found]
    close = [f"Did you mean {title}?" for (title,) in place.ask(CLOSEST, q=movie)]
    hint = "Give a part of its title, or its id."
    raise CollabError(" ".join([f"No movie fits {movie!r}.", *(close or [hint])]))


@app.command(help_epilogue=shown("collab bias --top 5 --bottom 5 --min-ratings 50 --genre Drama"))
def bias(
    *,
    top: Count = 10,
    bottom: Count = 10,
    min_ratings: Count = 0,
    genre: str | None = None,
    place: Here,
) -> None:
    """Show the movies of the highest and of the lowest bias.

    Args:
        top: How many of the highest.
        bottom: How many of the lowest.
        min_ratings: Only movies with as many ratings: few make a bias uncertain.
        genre: Only movies of a genre.
    """
    of = known_genre(place, genre) if genre else None
    rows = place.ask(EXTREMES, top=top, bottom=bottom, least=min_ratings, genre=of)
    if not rows:
        raise CollabError(
            f"No movie{f' of genre {of}' if of else ''} has {min_ratings} ratings and a place in "
            f"--top {top} or --bottom {bottom}; lower --min-ratings or ask for more."
        )
    numbers = {"bias": ".2f", "±": ".2f", "ratings": "d", "mean rating": ".2f"}
    columns = {"rank": "d", "title": "", **numbers}
    print_table("Bias of movies, highest first", columns, rows)


def known_genre(place: Place, name: str) -> str:
    """A genre as the edition writes it, whatever its case.

    Raises:
        CollabError: there is none of that name; names the nearest.
    """
    genres = {genre.casefold(): genre for (genre,) in place.ask("SELECT genre FROM genre_bias")}
    if name.casefold() not in genres:
        raise unknown_name("genre", name, sorted(genres.values()))
    return str(genres[name.casefold()])
