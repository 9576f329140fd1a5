"""A served folder made by hand: the published tables of a few planted movies, without training."""

from datetime import datetime
from math import cos, sin
from pathlib import Path
from typing import Any

import duckdb

SQL = Path(__file__).parents[2] / "collab" / "release" / "sql"
SCRIPTS = (
    "data",
    "runs",
    "model",
    "run_models",
    "examples",
    "benchmarks",
    "views",
    "titles",
    "paired",
    "macros",
    "newcomers",
)
AT = datetime(2026, 1, 2, 3, 4)
RUNS = {"dot_product_bias_wd": 0.8, "embedding_nn": 0.9}  # by their valid MSE
TITLES = {
    1: "Alien (1979)",
    2: "Aliens (1986)",
    3: "Amélie of Montmartre (2001)",
    4: "Silence of the Lambs, The (1991)",
    5: "2001: A Space Odyssey (1968)",
    6: "E.T. the Extra-Terrestrial (1982)",
    7: "Misérables, Les (1995)",
    8: "War of the Worlds (1953)",
    9: "War of the Worlds (2005)",
}
MOVIES = range(1, 31)
NOTHING = {"BOOLEAN": False, "TIMESTAMP": AT, "VARCHAR": ""}


def serve_by_hand(serve: Path, edition: str = "ml-latest-small") -> Path:
    """Publish the planted tables below `serve` as the release does, without record and Parquet."""
    folder = serve / edition
    snapshot = folder / "snapshots" / "000001"
    snapshot.mkdir(parents=True)
    with duckdb.connect(snapshot / "movielens.duckdb") as con:
        fill(con, edition)
    (snapshot / "report.html").write_text("<p>The report</p>")
    (folder / "current").symlink_to("snapshots/000001")
    for name in ("movielens.duckdb", "report.html"):
        (folder / name).symlink_to(f"current/{name}")
    return folder


def fill(con: duckdb.DuckDBPyConnection, edition: str) -> None:
    """60 ratings of each movie; movie 8 has the highest bias, each other less than the one before.

    None is by user 42, whose own are added below. The neighbours of a movie are those with the ids
    after its own.
    """
    for script in SCRIPTS:
        con.execute((SQL / f"{script}.sql").read_text(encoding="utf-8"))
    champion = f"{edition}-dot_product_bias_wd-0123456789ab"
    beyond = ["collab_nn: about 7 minutes"]
    add(
        con,
        "publish_info",
        edition=edition,
        published_at=AT,
        champion_run_id=champion,
        left_out=beyond,
        popular_from=50,
        mean=3.0,
        clip_low=0.5,
        clip_high=5.0,
    )
    for place, (variant, mse) in enumerate(RUNS.items(), start=1):
        named = {"run_id": f"{edition}-{variant}-0123456789ab", "variant": variant}
        best = variant == "dot_product_bias_wd"
        add(con, "runs", **named, valid_mse=mse, is_current=True, is_champion=best)
        add(con, "standings", **named, place=place)
    for movie in MOVIES:
        genres = ["Drama", "War"] if movie % 2 else ["Comedy"]
        title = TITLES.get(movie, f"Planted {movie} ({1970 + movie})")
        add(con, "movies", movie_id=movie, item_id=movie, title=title, genres=genres)
        rank = 1 if movie == 8 else movie + (movie < 8)
        bias = {"bias": 1 - rank / 10, "rank": rank, "n_ratings": 60, "mean_rating": 3.0}
        add(con, "movie_bias", item_id=movie, **bias)
        # the other way round in the run itself; movies of like angle are those of near ids
        told = {"run_id": champion, "variant": "dot_product_bias_wd", "item_id": movie}
        add(con, "run_bias", **told, bias=rank / 10, rank=len(MOVIES) + 1 - rank)
        add(con, "run_factors", **told, factors=[cos(movie / 30), sin(movie / 30)])
        for k in (1, 2, 3):
            near: dict[str, Any] = {"neighbor_id": (movie + k - 1) % len(MOVIES) + 1}
            near |= {"rank": k, "rank_popular": k}
            near |= {"cosine": 1 / k, "similarity": 1 / k}
            add(con, "movie_similarity", item_id=movie, **near)
    con.execute("UPDATE movies SET n_ratings = 60, title_folded = fold_title(title)")
    con.execute("UPDATE movies SET release_year = title[-5:-2]::SMALLINT")
    con.execute("""
        INSERT INTO ratings BY NAME SELECT
            row_number() OVER () - 1 AS position, u AS user_id, m AS movie_id, 4 AS rating, 0 AS ts
        FROM range(1, 62) AS a(u), range(1, 31) AS b(m) WHERE u <> 42""")
    add_people(con)


def add_people(con: duckdb.DuckDBPyConnection) -> None:
    """Odd movies are for one taste, even ones for the other; user 42 likes odd, and movie 2 a bit.

    Movie 99 has no ratings, and is expected to be for both tastes alike. The prior of a newcomer is
    around zero, with as much precision as one rating of noise 1 has.
    """
    add(con, "movies", movie_id=99, item_id=99, title="Nobody's Film (1950)", title_folded="x")
    con.execute("UPDATE movies SET title_folded = fold_title(title) WHERE movie_id = 99")
    add(con, "cold_movies", item_id=99, factors=[0.5, 0.5], bias=0.1, sd=0.5)
    for movie in MOVIES:
        add(con, "movie_factors", item_id=movie, factors=[1.0, 0.0] if movie % 2 else [0.0, 1.0])
    for user in (*range(1, 31), 42):
        add(con, "user_factors", user_id=user, factors=[1.0, 0.1])
        add(con, "user_bias", user_id=user, bias=0.2)
    for movie, stars in ((1, 5.0), (2, 3.0)):
        add(con, "ratings", user_id=42, movie_id=movie, rating=stars)
    one = [[float(i == j) for j in range(3)] for i in range(3)]
    squares = {"prior_precision": one, "prior_covariance": one, "prior_mean": [0.0, 0.0, 0.0]}
    add(con, "newcomer", noise=1.0, ridge=1.0, **squares)
    for rank, movie in enumerate((8, 1, 2), start=1):
        add(con, "starter_movies", rank=rank, item_id=movie, known=1.0, variance_left=1 - rank / 10)


def add(con: duckdb.DuckDBPyConnection, table: str, **known: Any) -> None:
    """A row of these values; what a column must have besides is 0, false or empty."""
    needed = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE table_name = $table AND NOT is_nullable",
        {"table": table},
    ).fetchall()
    row = {name: [] if "[]" in kind else NOTHING.get(kind, 0) for name, kind in needed} | known
    places = ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))
