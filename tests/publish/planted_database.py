"""A small published database with all that a report needs, odd titles included."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from collab.publish.tables import SCHEMA, insert

USERS, MOVIES = 60, 80
RUN = "ml-100k-dot_product_bias_wd-0123456789ab"
OTHER_RUN = "ml-100k-dot_product-0123456789ab"
ODD_TITLES = {
    1: "</script><script>alert('title')</script> (1999)",
    2: 'The "Quoted" & <b>Bold</b> (1998)',
    3: "Amélie d'Été (2001)",
}
GENRES: tuple[list[str], ...] = (["Drama"], ["Comedy", "Romance"], ["Sci-Fi", "Drama"], [])


def title(movie: int) -> str:
    """The title of a planted movie."""
    return ODD_TITLES.get(movie, f"Movie {movie:02d}, The (1990)")


def write_database(path: Path, *, edition: str = "ml-100k") -> Path:
    """Write the planted database: movie m has 2 ratings fewer than movie m - 1, more or less."""
    with duckdb.connect(path) as con:
        con.execute(SCHEMA.read_text(encoding="utf-8"))
        insert_data(con)
        insert(con, "publish_info", pd.DataFrame([info(edition)]))
        insert(con, "runs", pd.DataFrame([run(RUN, 0.9), run(OTHER_RUN, 1.0)]))
        insert(con, "metrics", pd.DataFrame(history(RUN, 0.9) + history(OTHER_RUN, 1.0)))
        insert_interpretation(con)
        insert(con, "check_results", pd.DataFrame(checks()))
    return path


def insert_data(con: duckdb.DuckDBPyConnection) -> None:
    """Movies, users, ratings; every fifth rating is predicted, half a star too high."""
    movies = [
        {"movie_id": m, "item_id": m, "title": title(m), "genres": GENRES[m % len(GENRES)]}
        for m in range(1, MOVIES + 1)
    ]
    insert(con, "movies", pd.DataFrame(movies))
    insert(con, "users", pd.DataFrame({"user_id": range(1, USERS + 1)}))
    con.execute(f"""
        INSERT INTO ratings
        SELECT row_number() OVER (ORDER BY u, m) - 1, u, m, 1 + (u * 7 + m * 3) % 5, 900000000
        FROM range(1, {USERS + 1}) AS a(u), range(1, {MOVIES + 1}) AS b(m)
        WHERE (u * 31 + m) % {MOVIES} >= m - 1""")
    con.execute(f"""
        INSERT INTO predictions
        SELECT '{RUN}', position, user_id, movie_id, rating, rating + 0.5, true, true
        FROM ratings WHERE position % 5 = 0""")


def insert_interpretation(con: duckdb.DuckDBPyConnection) -> None:
    """Biases falling with the id, a movie's neighbours its next ids, a map that is a grid."""
    con.execute(f"""
        CREATE TEMP TABLE counts AS
        SELECT '{RUN}' AS run_id, movie_id AS item_id, count(*)::INTEGER AS n_ratings
        FROM ratings GROUP BY ALL""")
    con.execute("""
        INSERT INTO movie_bias BY NAME
        SELECT *, 0.5 - item_id / 80 AS bias, row_number() OVER (ORDER BY item_id) AS rank
        FROM counts""")
    con.execute("""
        INSERT INTO movie_pca BY NAME
        SELECT *, item_id % 9 AS pc1, item_id // 9 AS pc2, 0 AS pc3 FROM counts""")
    con.execute("""
        INSERT INTO movie_similarity BY NAME
        SELECT a.run_id, a.item_id, b.item_id AS neighbor_id, 1 - k / 20 AS cosine, k AS rank
        FROM counts AS a, range(1, 11) AS r(k)
        JOIN counts AS b ON b.item_id = (a.item_id + k - 1) % (SELECT max(item_id) FROM counts) + 1
        """)


def info(edition: str) -> dict[str, Any]:
    """The row of `publish_info`."""
    return {
        "published_at": pd.Timestamp("2026-01-02 03:04"),
        "edition": edition,
        "data_fingerprint": "f" * 64,
        "data_source": "planted <source>",
        "data_warnings": ["a note & more"],
        "champion_run_id": RUN,
        "licence": "none",
        "citation": "nobody",
        "collab_version": "0",
    }


def run(run_id: str, mse: float) -> dict[str, Any]:
    """A row of `runs`."""
    numbers = (
        "batch_size n_parameters n_train n_valid n_users n_items unknown_user_rows "
        "unknown_item_rows train_seconds seconds peak_memory_mib threads lr_max wd"
    )
    return {
        **dict.fromkeys(numbers.split(), 1),
        "run_id": run_id,
        "variant": run_id.split("-")[2],
        "is_current": True,
        "is_champion": run_id == RUN,
        "edition": "ml-100k",
        "data_fingerprint": "f" * 64,
        "seed": 42,
        "valid_pct": 0.2,
        "epochs": 3,
        "recipe": json.dumps({"model": "a:B"}),
        "versions": json.dumps({"torch": "2"}),
        "valid_mse": mse,
        "valid_rmse": mse**0.5,
        "valid_mae": 0.5,
        "device": "cpu",
        "device_name": "a processor",
        "started_at": pd.Timestamp("2026-01-02 03:00"),
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
