"""The published tables from Python: one read-only connection."""

from pathlib import Path

import duckdb

from collab.base.database import open_database
from collab.base.errors import CollabError
from collab.base.paths import data_dir as find_data_dir
from collab.base.serving import DATABASE, edition_folder, nothing_published


def connect(
    data_dir: str | Path | None = None, edition: str | None = None
) -> duckdb.DuckDBPyConnection:
    """Open what is published now, read-only; tables, views and macros are ready to use.

    The connection keeps its snapshot for as long as it is open, whatever is published meanwhile;
    connect again to see what is new.

    Args:
        data_dir: the pipeline's data folder; by default COLLAB_DATA_DIR, else `data`.
        edition: whose tables; by default COLLAB_EDITION, else the only one that is published.

    Raises:
        CollabError: nothing is published there, several editions are and none is named, or it
            cannot be opened.
    """
    path = served_database(edition_folder(find_data_dir(data_dir), edition))
    try:
        return open_database(path, read_only=True)
    except duckdb.IOException as error:
        reason = str(error).splitlines()[0]
        raise CollabError(
            f"{path} cannot be opened: {reason}\n"
            "If another program has it open for writing, close that; readers open it read-only."
        ) from error


def served_database(folder: Path) -> Path:
    """The database of an edition's folder that is published now.

    The links are followed here: within one process DuckDB 1.4 gives whoever opens the path of a
    link the file that is open under it already, and so the old one.

    Raises:
        CollabError: nothing is published there.
    """
    try:
        return (folder / DATABASE).resolve(strict=True)
    except OSError as error:
        raise nothing_published(folder) from error
