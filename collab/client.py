"""The published tables from Python: one read-only connection."""

from pathlib import Path

import duckdb

from collab.base.errors import CollabError
from collab.base.paths import ENV_DATA_DIR, data_dir


def connect(data_dir: str | Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open what is published now, read-only; tables, views and macros are ready to use.

    The connection keeps its snapshot for as long as it is open, whatever is published meanwhile;
    connect again to see what is new.

    Args:
        data_dir: the pipeline's data folder; by default COLLAB_DATA_DIR, else `data`.

    Raises:
        CollabError: nothing is published there, or it cannot be opened.
    """
    path = served_database(data_dir)
    try:
        return duckdb.connect(path, read_only=True)
    except duckdb.IOException as error:
        reason = str(error).splitlines()[0]
        raise CollabError(
            f"{path} cannot be opened: {reason}\n"
            "If another program has it open for writing, close that; readers open it read-only."
        ) from error


def served_database(given: str | Path | None = None) -> Path:
    """The database that is published now.

    The links are followed here: within one process DuckDB 1.4 gives whoever opens the path of a
    link the file that is open under it already, and so the old one.

    Raises:
        CollabError: nothing is published there.
    """
    serve = data_dir(given).serve
    try:
        return (serve / "movielens.duckdb").resolve(strict=True)
    except OSError as error:
        raise nothing_published(serve) from error


def nothing_published(serve: Path) -> CollabError:
    """The error for a data folder without a publication."""
    return CollabError(
        f"Nothing is published in {serve}. Publish with `python -m flows.pipeline`, "
        f"or name the data folder of a pipeline with --data-dir or {ENV_DATA_DIR}."
    )
