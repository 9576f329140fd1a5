"""A copy of Prefect's SQLite database while it is in use: `python -m deploy.backup TARGET`."""

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from collab.base.errors import CollabError
from collab.base.paths import data_dir
from collab.cli.app import make_app, run

DATABASE = "prefect.db"
BUSY_SECONDS = 60.0

app = make_app(
    "python -m deploy.backup",
    "Copy Prefect's SQLite database safely, also while the server writes to it. The data folder "
    "itself may be copied as it is.",
    "python -m deploy.backup /backups/prefect.db",
)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database as it stands at one moment, and put it in place whole.

    What its writers have in the write-ahead log is in the copy; they go on meanwhile.

    Raises:
        CollabError: there is no such database, the target cannot be written, or the copy is not
            sound.
    """
    if not source.is_file():
        raise CollabError(f"There is no {source}. Name Prefect's folder with --home.")
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        read_only = f"{source.absolute().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(read_only, uri=True, timeout=BUSY_SECONDS)) as there,
            closing(sqlite3.connect(temporary)) as here,
        ):
            there.backup(here)
            ((found, *_),) = here.execute("PRAGMA integrity_check").fetchall()[:1]
        if found != "ok":
            raise CollabError(f"The copy of {source} is not sound: {found}.")
        temporary.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise CollabError(f"{source} could not be copied to {target}: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


@app.default
def command(target: Path, /, *, home: Path | None = None) -> None:
    """Copy the database.

    Args:
        target: The file to write; what stands there is replaced.
        home: Prefect's folder; by default PREFECT_HOME, else prefect in the data folder.
    """
    folder = home or Path(os.environ.get("PREFECT_HOME") or data_dir().root / "prefect")
    copy_database(folder / DATABASE, target)
    sys.stdout.write(f"{folder / DATABASE} is copied to {target}.\n")


def main(tokens: Sequence[str] | None = None) -> int:
    """Copy the database; returns the exit code."""
    return run(app, tokens)


if __name__ == "__main__":
    sys.exit(main())
