"""What each command of `collab` does with its arguments."""

import webbrowser
from argparse import Namespace

import duckdb

from collab.base.errors import CollabError
from collab.base.paths import ENV_DATA_DIR, data_dir
from collab.cli.show import print_table, say, show_rows, write_csv, write_json_rows
from collab.client import connect, nothing_published
from collab.movielens.editions import unknown_name
from collab.release.rollback import roll_back
from collab.release.snapshot import Snapshot, current_snapshot, list_snapshots
from collab.status import print_status

MATCHES_SHOWN = 50
TABLES_AT_ONCE = 5  # neighbours of so many movies are shown; of more, the movies alone


def sql(given: Namespace) -> None:
    """Run a query; the rows as a table, CSV, JSON or a Parquet file."""
    with connect(given.data_dir) as con:
        try:
            if not con.extract_statements(given.query):
                raise CollabError('The query is empty; give one such as "FROM leaderboard".')
            if given.parquet:
                con.sql(given.query).write_parquet(given.parquet, compression="zstd")
            elif given.form == "csv":
                write_csv(con.execute(given.query))
            elif given.form == "json":
                write_json_rows(con.execute(given.query))
            else:
                show_rows(con.sql(given.query))
        except duckdb.Error as error:
            raise CollabError(str(error).strip().replace("\n\n", "\n")) from error


def similar(given: Namespace) -> None:
    """The neighbours of every movie that fits; where too many fit, those movies."""
    with connect(given.data_dir) as con:
        # digits are an id where there is such a movie, else a part of a title, such as 2001
        by_id = find(con, int(given.movie)) if given.movie.isdecimal() else []
        found = by_id or find(con, given.movie)
        if not found:
            raise CollabError(
                f"No movie fits {given.movie!r}. Give a part of its title, or its id."
            )
        if len(found) > TABLES_AT_ONCE:
            title = f"{len(found)} movies fit {given.movie!r}"
            print_table(title, {"id": "d", "title": "", "ratings": "d"}, found[:MATCHES_SHOWN])
            if len(found) > MATCHES_SHOWN:
                say(f"The {MATCHES_SHOWN} most rated of them; a longer part of a title fits fewer.")
            say(f"Choose one by its id, such as: collab similar {found[0][0]}")
        else:
            for movie in found:
                print_neighbors(con, movie, given.k)


def find(con: duckdb.DuckDBPyConnection, movie: int | str) -> list[tuple[int, str, int]]:
    """The items that an id or a part of a title fits: id, title, number of ratings."""
    return con.execute(
        "SELECT item_id, any_value(title), sum(n_ratings)::INTEGER AS n "
        "FROM find_movie($q) GROUP BY item_id ORDER BY n DESC, item_id",
        {"q": movie},
    ).fetchall()


def print_neighbors(con: duckdb.DuckDBPyConnection, movie: tuple[int, str, int], k: int) -> None:
    """The k nearest of one item, given as its id, title and number of ratings."""
    item_id, title, n_ratings = movie
    rows = con.execute(
        "SELECT rank, neighbor, cosine, neighbor_ratings, neighbor_id "
        "FROM similar_movies($id, k := $k)",
        {"id": item_id, "k": k},
    ).fetchall()
    columns = {"rank": "d", "title": "", "cosine": ".4f", "ratings": "d", "id": "d"}
    print_table(f"Like {title} (id {item_id}, {n_ratings} ratings)", columns, rows)


def bias(given: Namespace) -> None:
    """The highest and the lowest biases."""
    with connect(given.data_dir) as con:
        rows = con.execute(
            """SELECT rank, title, bias, n_ratings, mean_rating FROM movie_bias_named
            WHERE n_ratings >= $least AND ($genre IS NULL OR list_contains(genres, $genre))
            QUALIFY row_number() OVER (ORDER BY rank) <= $top
                 OR row_number() OVER (ORDER BY rank DESC) <= $bottom
            ORDER BY rank""",
            {
                "least": given.min_ratings,
                "genre": known_genre(con, given.genre),
                "top": given.top,
                "bottom": given.bottom,
            },
        ).fetchall()
    if not rows:
        of_genre = f" of genre {given.genre}" if given.genre else ""
        raise CollabError(
            f"No movie{of_genre} has {given.min_ratings} ratings and a place in --top {given.top} "
            f"or --bottom {given.bottom}; lower --min-ratings or ask for more."
        )
    columns = {"rank": "d", "title": "", "bias": ".4f", "ratings": "d", "mean rating": ".2f"}
    print_table("Bias of movies, highest first", columns, rows)


def known_genre(con: duckdb.DuckDBPyConnection, name: str | None) -> str | None:
    """A genre as the edition writes it, whatever its case.

    Raises:
        CollabError: there is none of that name; names the nearest.
    """
    if name is None:
        return None
    genres = [genre for (genre,) in con.execute("SELECT genre FROM genre_bias").fetchall()]
    for genre in genres:
        if genre.casefold() == name.casefold():
            return str(genre)
    raise unknown_name("genre", name, sorted(genres))


def leaderboard(given: Namespace) -> None:
    """The current runs, best first."""
    with connect(given.data_dir) as con:
        rows = con.execute(
            "SELECT place, variant || if(is_champion, ' *', ''), valid_mse, valid_rmse, valid_mae, "
            "train_seconds, device FROM leaderboard"
        ).fetchall()
        edition, at = con.execute("SELECT edition, published_at FROM publish_info").fetchall()[0]
    errors = {"valid MSE": ".4f", "RMSE": ".4f", "MAE": ".4f", "train s": ".1f"}
    columns = {"place": "d", "variant": "", **errors, "device": ""}
    print_table(f"{edition}, published {at:%Y-%m-%d %H:%M} UTC", columns, rows)
    say("* supplies bias, similarity and PCA")


def history(given: Namespace) -> None:
    """Every committed run."""
    with connect(given.data_dir) as con:
        rows = con.execute(
            "SELECT strftime(started_at, '%Y-%m-%d %H:%M'), variant, seed, epochs, valid_mse, "
            "run_id, if(is_current, 'current', '') FROM runs "
            "WHERE $variant IS NULL OR variant = $variant ORDER BY started_at, run_id",
            {"variant": given.variant},
        ).fetchall()
        known = con.execute("SELECT DISTINCT variant FROM runs ORDER BY 1").fetchall()
    if not rows:
        raise unknown_name("variant", given.variant, [name for (name,) in known])
    numbers = {"seed": "d", "epochs": "d", "valid MSE": ".4f"}
    print_table("Runs", {"started (UTC)": "", "variant": "", **numbers, "run": "", "": ""}, rows)


def report(given: Namespace) -> None:
    """Where the report is; opened in the browser if asked."""
    path = data_dir(given.data_dir).serve / "report.html"
    if not path.exists():
        raise CollabError(
            f"There is no report at {path}. Make it with `python -m flows.pipeline`, "
            f"or name the data folder of a pipeline with --data-dir or {ENV_DATA_DIR}."
        )
    say(str(path))
    if given.open:
        webbrowser.open(path.as_uri())


def status(given: Namespace) -> None:
    """What is published, what runs and what failed last; needs no server."""
    print_status(data_dir(given.data_dir))


def snapshots(given: Namespace) -> None:
    """The publications, newest first."""
    serve = data_dir(given.data_dir).serve
    found, current = list_snapshots(serve), current_snapshot(serve)
    if not found:
        raise nothing_published(serve)
    rows = [
        (
            snapshot.seq,
            str(snapshot.record["published_at"])[:16].replace("T", " "),
            snapshot.record["edition"],
            snapshot.record["variant"],
            snapshot.record["valid_mse"],
            snapshot.size / 2**20,
            state(snapshot, current),
        )
        for snapshot in found
    ]
    texts = {"published (UTC)": "", "edition": "", "champion": ""}
    columns = {"seq": "d", **texts, "valid MSE": ".4f", "MiB": ".1f", "": ""}
    print_table("Publications", columns, rows)


def state(snapshot: Snapshot, current: Snapshot | None) -> str:
    """What became of a snapshot, in a word."""
    if current and snapshot.seq == current.seq:
        return "served"
    return "withdrawn" if snapshot.withdrawn else ""


def rollback(given: Namespace) -> None:
    """Serve an earlier publication again."""
    serve = data_dir(given.data_dir).serve
    if current_snapshot(serve) is None:
        raise nothing_published(serve)
    target = roll_back(serve, given.seq)
    say(
        f"Snapshot {target.seq} of {target.record['published_at']} is served.\n"
        "Later ones are withdrawn: the pipeline does not publish the same again unless forced; "
        "something new is published as ever."
    )
