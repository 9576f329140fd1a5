"""The split as CSV files, the same rows for everyone."""

from pathlib import Path

import duckdb

from benchmarks.ml_100k import SEED, ml_100k
from collab.base.paths import writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.lake import Manifest

COLUMNS = "user_id, movie_id, item_id, rating, ts, title"
MOVIES = "movie_id, item_id, release_year, array_to_string(genres, '|') AS genres"
USERS = "user_id, age, gender, occupation, zip_code"


def export_split(folder: Path, data_dir: str | None = None, archive: str | None = None) -> None:
    """Write `train.csv`, `valid.csv`, `movies.csv` and `users.csv` of ml-100k, seed 42."""
    data = writable_data_dir(data_dir)
    lake = ml_100k(data, archive)
    dataset, _ = make_dataset(lake, Protocol(split_seed=SEED), data)
    export_dataset(folder, lake, dataset)


def export_dataset(folder: Path, lake: Manifest, dataset: Dataset) -> None:
    """The same of any dataset; ratings stand in the order of the archive."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        join_ratings(con, lake)
        con.execute(
            "CREATE TABLE held AS SELECT unnest($rows) AS position",
            {"rows": dataset.array("valid_position").tolist()},
        )
        rows = f"SELECT {COLUMNS} FROM joined {{}} JOIN held USING (position) ORDER BY position"
        con.sql(rows.format("ANTI")).write_csv(str(folder / "train.csv"))
        con.sql(rows.format("SEMI")).write_csv(str(folder / "valid.csv"))
        con.sql(f"SELECT {MOVIES} FROM movies").write_csv(str(folder / "movies.csv"))
        con.sql(f"SELECT {USERS} FROM users").write_csv(str(folder / "users.csv"))


def join_ratings(con: duckdb.DuckDBPyConnection, lake: Manifest) -> None:
    """Make the tables of a connection from the lake's files."""
    for name in ("ratings", "movies", "users"):
        path = str(lake.path / f"{name}.parquet")
        con.execute(f"CREATE TABLE {name} AS FROM read_parquet($path)", {"path": path})
    con.execute("CREATE VIEW joined AS FROM ratings JOIN movies USING (movie_id)")
