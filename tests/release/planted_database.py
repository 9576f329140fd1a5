"""A small published database with all that a report needs, odd titles included."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

USERS, MOVIES = 60, 80
RUN = "ml-100k-dot_product_bias_wd-0123456789ab"
OTHER_RUN = "ml-100k-dot_product-0123456789ab"
RELEASE = "ml-100k-dot_product_bias_wd-ba9876543210"
RECIPE = {
    "name": "a",
    "about": "words about it",
    "chosen_on": "nothing",
    "estimator": {"estimator": "a:B", "epochs": 3, "arguments": {"n_factors": 5}},
}
ODD_TITLES = {
    1: "</script><script>alert('title')</script> (1999)",
    2: 'The "Quoted" & <b>Bold</b> (1998)',
    3: "Amélie d'Été (2001)",
}
SQL = files("collab.release") / "sql"
GENRES: tuple[list[str], ...] = (["Drama"], ["Comedy", "Romance"], ["Sci-Fi", "Drama"], [])


def title(movie: int) -> str:
    """The title of a planted movie."""
    return ODD_TITLES.get(movie, f"Movie {movie:02d}, The (1990)")


def write_database(path: Path, *, edition: str = "ml-100k", splits: int = 1) -> Path:
    """Write the planted database: the larger its id, the fewer ratings a movie has.

    On more than one split the champion errs 0.95 on average, 0.05 more than on the first, and the
    first place is shared and a variant left out.

    Its tables hold what the report reads and no more; that the published ones hold it too is seen
    where the pipeline is tested.
    """
    with duckdb.connect(path) as con:
        insert_data(con)
        create(con, "publish_info", [info(edition, splits)])
        runs = [run(RUN, 0.9), run(OTHER_RUN, 1.0), run(RELEASE, None)]
        create(con, "runs", runs)
        create(
            con,
            "standings",
            [standing(RUN, splits, 0.0), standing(OTHER_RUN, 1, 0.1 if splits == 1 else 0.01)],
        )
        create(con, "metrics", history(RUN, 0.9) + history(OTHER_RUN, 1.0))
        create(con, "check_results", checks())
        insert_interpretation(con)
        insert_newcomer(con, range(1, MOVIES + 1), factors=6)
        con.execute((SQL / "benchmarks.sql").read_text(encoding="utf-8"))
        con.execute("CREATE TABLE interval_coverage AS SELECT 0.9 AS level, 0.912 AS covered")
        create(con, "class_reliability", reliability())
        con.execute("""
            CREATE VIEW leaderboard AS
            SELECT row_number() OVER (ORDER BY valid_mse) AS place, *
            FROM runs JOIN standings USING (run_id)""")
    return path


def reliability() -> list[dict[str, Any]]:
    """The champion tells 5 stars too seldom where it is sure; the other is right throughout."""
    told = {"bin": 7, "rating": 5.0, "n": 100, "probability": 0.75}
    sure = {**told, "run_id": RUN, "variant": "dot_product_bias_wd", "observed": 0.85}
    rare = {**sure, "bin": 0, "rating": 1.0, "n": 300, "probability": 0.05, "observed": 0.05}
    other = {**told, "run_id": OTHER_RUN, "variant": "dot_product", "observed": 0.75}
    return [rare, sure, other]


def create(con: duckdb.DuckDBPyConnection, table: str, records: list[dict[str, Any]]) -> None:
    """A table of these rows."""
    con.register("frame", pd.DataFrame(records))
    con.execute(f"CREATE TABLE {table} AS FROM frame")
    con.unregister("frame")


def insert_data(con: duckdb.DuckDBPyConnection) -> None:
    """Movies, users, ratings; every fifth rating is predicted, half a star too high."""
    movies = [
        {
            "movie_id": m,
            "item_id": m,
            "title": title(m),
            "release_year": 1990,
            "genres": GENRES[m % len(GENRES)],
        }
        for m in range(1, MOVIES + 1)
    ]
    create(con, "movies", movies)
    create(con, "users", [{"user_id": user} for user in range(1, USERS + 1)])
    con.execute(f"""
        CREATE TABLE ratings AS
        SELECT row_number() OVER (ORDER BY u, m) - 1 AS position, u AS user_id, m AS movie_id,
               (1 + (u * 7 + m * 3) % 5)::FLOAT AS rating
        FROM range(1, {USERS + 1}) AS a(u), range(1, {MOVIES + 1}) AS b(m)
        WHERE (u * 31 + m) % {MOVIES} >= m - 1""")
    con.execute(f"""
        CREATE TABLE predictions AS
        SELECT '{RUN}' AS run_id, position, user_id, movie_id, rating,
               rating + 0.5::FLOAT AS prediction
        FROM ratings WHERE position % 5 = 0""")
    con.execute("ALTER TABLE movies ADD COLUMN n_ratings INTEGER")
    con.execute("""
        UPDATE movies SET n_ratings = (SELECT count(*) FROM ratings
                                       WHERE ratings.movie_id = movies.movie_id)""")
    con.execute("ALTER TABLE movies ADD COLUMN title_folded VARCHAR")
    con.execute((SQL / "titles.sql").read_text(encoding="utf-8"))
    con.execute("UPDATE movies SET title_folded = fold_title(title)")


def insert_interpretation(con: duckdb.DuckDBPyConnection) -> None:
    """Biases falling with the id, a movie's neighbours its next ids, a map that is a grid."""
    con.execute("""
        CREATE TEMP TABLE counts AS
        SELECT movie_id AS item_id, count(*) AS n_ratings FROM ratings GROUP BY ALL""")
    con.execute("""
        CREATE TABLE movie_bias AS
        SELECT *, (0.5 - item_id / 80)::FLOAT AS bias, bias - 0.1 AS low, bias + 0.1 AS high,
               row_number() OVER (ORDER BY item_id) AS rank, 3.5::FLOAT AS mean_rating,
               0.05::FLOAT AS sd
        FROM counts""")
    # the 20 most rated movies for everybody
    con.execute("""
        CREATE TABLE recommendations AS
        SELECT user_id, item_id, item_id AS rank FROM users, counts WHERE item_id <= 20""")
    con.execute("""
        CREATE TABLE bias_history AS
        SELECT as_of, item_id, n_ratings, (bias + if(item_id = 2, d, 0))::FLOAT AS bias
        FROM movie_bias, (VALUES (TIMESTAMP '2001-01-31 23:59:59', 0.5), ('2001-02-28 23:59:59', 0))
             AS days(as_of, d)""")
    con.execute("""
        CREATE TABLE movie_pca AS
        SELECT *, (item_id % 9)::FLOAT AS pc1, (item_id // 9)::FLOAT AS pc2 FROM counts""")
    con.execute(f"""
        CREATE TABLE movie_similarity AS
        SELECT item_id, (item_id + k - 1) % {MOVIES} + 1 AS neighbor_id,
               (1 - k / 20)::FLOAT AS cosine, cosine AS similarity, 0.1::FLOAT AS sd,
               0.5::FLOAT AS share, k AS rank, k AS rank_popular
        FROM counts, range(1, 11) AS r(k)""")


def insert_newcomer(con: duckdb.DuckDBPyConnection, items: range, factors: int) -> None:
    """Factors of these items, and the prior of someone new; asked about are the odd ones first."""
    rng = np.random.default_rng(1)
    mixed = rng.normal(size=(factors + 1, factors + 1)) / factors
    covariance = np.eye(factors + 1) / 4 + mixed @ mixed.T
    prior = {
        "run_id": RELEASE,
        "prior_mean": rng.normal(scale=0.1, size=factors + 1).tolist(),
        "prior_precision": np.linalg.inv(covariance).tolist(),
        "prior_covariance": covariance.tolist(),
        "noise": 0.5,
        "unsure": 0.02,
        "ridge": 0.8,
        "ridge_share": 0.05,
        "ridge_power": 0.5,
    }
    rows = rng.normal(scale=0.6, size=(len(items), factors)).astype(np.float32)
    create(con, "newcomer", [prior])
    create(
        con,
        "movie_factors",
        [{"item_id": i, "factors": r} for i, r in zip(items, rows.tolist(), strict=True)],
    )
    asked = sorted(items, key=lambda item: (item % 2 == 0, item))[:50]
    create(con, "starter_movies", [{"rank": n, "item_id": i} for n, i in enumerate(asked, start=1)])


def info(edition: str, splits: int) -> dict[str, Any]:
    """The row of `publish_info`."""
    several = splits > 1
    return {
        "published_at": pd.Timestamp("2026-01-02 03:04"),
        "edition": edition,
        "data_fingerprint": "f" * 64,
        "data_source": "planted <source>",
        "data_warnings": ["a note & more"],
        "champion_run_id": RUN,
        "release_run_id": RELEASE,
        "chosen_on": [f"u{number}" for number in range(1, splits + 1)],
        "expected_mse": 0.95 if several else 0.9,
        "expected_sd": 0.01 if several else None,
        "shares_first_place": ["dot_product_bias_wd", *(["dot_product"] if several else [])],
        "mean": 3.5,
        "y_low": None,
        "y_high": None,
        "clip_low": 1.0,
        "clip_high": 5.0,
        "undeclared": [],
        "popular_from": 5,
        "left_out": ["als: it <diverged>"] if several else [],
        "licence": "none",
        "citation": "nobody",
        "collab_version": "0",
    }


def run(run_id: str, mse: float | None) -> dict[str, Any]:
    """A row of `runs`; without an error the release."""
    numbers = (
        "batch_size n_parameters n_train n_valid n_users n_items unknown_user_rows "
        "unknown_item_rows repeated_rows train_seconds seconds peak_memory_mib threads lr_max wd"
    )
    return {
        **dict.fromkeys(numbers.split(), 1),
        "run_id": run_id,
        "variant": run_id.split("-")[2],
        "is_current": mse is not None,
        "is_champion": run_id == RUN,
        "is_release": run_id == RELEASE,
        "edition": "ml-100k",
        "data_fingerprint": "f" * 64,
        "seed": 42,
        "protocol": "u1",
        "split_name": "u1",
        "valid_pct": 0.2,
        "epochs": 3,
        "recipe": json.dumps(RECIPE),
        "versions": json.dumps({"torch": "2"}),
        "valid_mse": mse,
        "valid_rmse": mse and mse**0.5,
        "valid_mae": 0.5,
        "device": "cpu",
        "device_name": "a processor",
        "started_at": pd.Timestamp("2026-01-02 03:00"),
    }


def standing(run_id: str, splits: int, behind: float) -> dict[str, Any]:
    """A row of `standings`; without a distance the first, with which nobody else is equal."""
    several = splits > 1
    return {
        "run_id": run_id,
        "behind": behind,
        "behind_low": behind - 0.02,
        "behind_high": behind + 0.02,
        "differs": behind > 0.02,
        "mean_mse": 0.95 if several else 0.9 + behind,
        "sd_mse": 0.01 if several else None,
        "n_splits": splits,
    }


def history(run_id: str, mse: float) -> list[dict[str, Any]]:
    """Three epochs that end at `mse`, lowest in the second; the first loss is far above all."""
    named = {"run_id": run_id, "variant": run_id.split("-")[2]}
    values = {"valid": (mse + 0.1, mse - 0.1, mse), "train": (30.0, 0.8, 0.5)}
    return [
        {**named, "epoch": epoch, "split": split, "metric": metric, "value": value}
        for split, metric in (("train", "loss"), ("valid", "mse"))
        for epoch, value in enumerate(values[split], start=1)
    ]


def checks() -> list[dict[str, Any]]:
    """One check that passed, one that warns."""
    return [
        {"name": "good", "severity": "error", "passed": True, "failures": 0, "first_rows": "[]"},
        {"name": "odd", "severity": "warning", "passed": False, "failures": 2, "first_rows": "<i>"},
    ]
