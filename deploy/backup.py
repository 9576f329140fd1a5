"""A copy of Prefect's SQLite database while it is in use: `python -m deploy.backup TARGET`."""

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from collab.base.errors import CollabError
from collab.base.paths import data_dir
from collab.cli.app import make_app, run

DATABASE = "prefect.db"
ENV_URL = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")
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
        raise CollabError(
            f"There is no {source}. Name Prefect's folder with --home; Postgres is what pg_dump "
            "copies."
        )
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


def find_database() -> Path:
    """Where the server's database is, by the variables it is told of it.

    Raises:
        CollabError: it is none of SQLite.
    """
    if not (told := next(filter(None, map(os.environ.get, ENV_URL)), None)):
        return Path(os.environ.get("PREFECT_HOME") or data_dir().root / "prefect") / DATABASE
    url = make_url(told)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database)
    raise CollabError(
        f"Prefect's database is {url.render_as_string()}, which is not SQLite: copy it with "
        "pg_dump. With --home a SQLite database is copied all the same."
    )


@app.default
def command(target: Path, /, *, home: Path | None = None) -> None:
    """Copy the database.

    Args:
        target: The file to write; what stands there is replaced.
        home: Prefect's folder; by default the database the server is told of, else PREFECT_HOME,
            else prefect in the data folder.
    """
    source = find_database() if home is None else home / DATABASE
    copy_database(source, target)
    sys.stdout.write(f"{source} is copied to {target}.\n")


def main(tokens: Sequence[str] | None = None) -> int:
    """Copy the database; returns the exit code."""
    return run(app, tokens)


if __name__ == "__main__":
    sys.exit(main())
