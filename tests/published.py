"""What is published, read as an analyst does, and compared between two data folders."""

from typing import Any

import duckdb

from collab.base.paths import DataDir

# what differs by its nature: times, and what was published before
HISTORY = {
    "publish_info": ("published_at", "compared_with", "regression", "regression_low",
                     "regression_high"),
    "runs": ("started_at", "seconds", "train_seconds", "peak_memory_mib", "stages"),
}  # fmt: skip

Rows = list[tuple[Any, ...]]


def query(data: DataDir, sql: str, edition: str | None = None) -> Rows:
    """The rows of a query on what is served, of an edition or by the link beside all of them."""
    folder = data.serve / edition if edition else data.serve
    with duckdb.connect(folder / "movielens.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


def tables(data: DataDir) -> dict[str, Rows]:
    """Every published table, all rows, apart from what differs by its nature."""
    with duckdb.connect(data.serve / "movielens.duckdb", read_only=True) as con:
        names = [
            name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        ]
        found = {}
        for name in names:
            less = "EXCLUDE (" + ", ".join(HISTORY[name]) + ")" if name in HISTORY else ""
            where = "WHERE metric <> 'seconds'" if name == "metrics" else ""
            found[name] = con.execute(
                f"SELECT * {less} FROM {name} {where} ORDER BY ALL"
            ).fetchall()
        return found
