"""The split as CSV files, the same rows for everyone."""

from pathlib import Path

import duckdb
import torch

from benchmarks.ml_100k import ml_100k
from collab.lake import Manifest
from collab.dataset.split import random_split

SEED = 42
COLUMNS = "user_id, movie_id, item_id, rating, ts, title"


def export_split(folder: Path, data_dir: str | None = None, archive: str | None = None) -> None:
    """Write `train.csv`, `valid.csv`, `movies.csv` and `users.csv` of ml-100k, seed 42."""
    folder.mkdir(parents=True, exist_ok=True)
    lake = ml_100k(data_dir, archive)
    with duckdb.connect() as con:
        join_ratings(con, lake)
        split = random_split(lake.counts["ratings"], SEED)
        for name, rows in (("train", split.train), ("valid", split.valid)):
            write_rows(con, rows, folder / f"{name}.csv")
        con.sql("SELECT movie_id, release_year, array_to_string(genres, '|') AS genres FROM movies"
                ).write_csv(str(folder / "movies.csv"))  # fmt: skip
        con.sql("SELECT user_id, age, gender, occupation FROM users").write_csv(
            str(folder / "users.csv")
        )


def join_ratings(con: duckdb.DuckDBPyConnection, lake: Manifest) -> None:
    """Make the tables of a connection from the lake's files."""
    for name in ("ratings", "movies", "users"):
        path = str(lake.path / f"{name}.parquet")
        con.execute(f"CREATE TABLE {name} AS FROM read_parquet($path)", {"path": path})
    con.execute("CREATE VIEW joined AS FROM ratings JOIN movies USING (movie_id)")


def write_rows(con: duckdb.DuckDBPyConnection, rows: torch.Tensor, path: Path) -> None:
    """Write some rows, by their place in the archive, in the order of the split."""
    con.execute("CREATE OR REPLACE TABLE chosen (place BIGINT, position BIGINT)")
    con.execute(
        "INSERT INTO chosen SELECT generate_subscripts($rows, 1), unnest($rows)",
        {"rows": rows.tolist()},
    )
    con.sql(
        f"SELECT {COLUMNS} FROM joined JOIN chosen USING (position) ORDER BY place"  # noqa: S608
    ).write_csv(str(path))
