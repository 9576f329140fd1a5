"""Which edition's publication is meant: each has a folder of its own below `serve`.

serve/<edition>/{current -> snapshots/000042, snapshots/, movielens.duckdb, report.html, ...}
serve/movielens.duckdb                 that of the only or the default edition
"""

import os
from pathlib import Path

from collab.base.errors import CollabError, unknown_name
from collab.base.files import read_json
from collab.base.paths import ENV_DATA_DIR, DataDir

ENV_EDITION = "COLLAB_EDITION"
DATABASE = "movielens.duckdb"


def served_editions(serve: Path) -> list[str]:
    """The editions that are published below `serve`, by name."""
    return sorted(path.parent.name for path in serve.glob("*/current"))


def choose_edition(data: DataDir, given: str | None = None) -> str:
    """The edition given, else that of `COLLAB_EDITION`, else the only one that is published.

    Raises:
        CollabError: none is published, not that one, or several and none is named.
    """
    return chosen(data, given, served_editions(data.serve))


def edition_folder(data: DataDir, given: str | None = None) -> Path:
    """The folder of an edition's publications, chosen as by `choose_edition`.

    An older version of this program served one edition, from `serve` itself; that is read too where
    nothing was published since.

    Raises:
        CollabError: as `choose_edition`.
    """
    if served_editions(data.serve) or not (data.serve / DATABASE).exists():
        return data.serve / choose_edition(data, given)
    chosen(data, given, [edition_of_older(data.serve)])
    return data.serve


def published_folders(data: DataDir) -> list[Path]:
    """The folders of all editions that are published, by name."""
    folders = [data.serve / edition for edition in served_editions(data.serve)]
    older = [data.serve] if (data.serve / DATABASE).exists() else []
    return folders or older


def chosen(data: DataDir, given: str | None, served: list[str]) -> str:
    """One of the editions that are served."""
    name = given or os.environ.get(ENV_EDITION)
    if not served:
        raise nothing_published(data.serve)
    if name and name not in served:
        raise unknown_name("edition", name, served)
    if not name and len(served) > 1:
        raise CollabError(
            f"Several editions are published in {data.serve}: {', '.join(served)}. "
            f"Name one with --edition or {ENV_EDITION}."
        )
    return name or served[0]


def edition_of_older(serve: Path) -> str:
    """What an older version says it published."""
    try:
        return str(read_json(serve / "latest.json")["edition"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unnamed"


def nothing_published(serve: Path) -> CollabError:
    """The error for a data folder without a publication."""
    return CollabError(
        f"Nothing is published in {serve}. Publish with `python -m flows.pipeline`, "
        f"or name the data folder of a pipeline with --data-dir or {ENV_DATA_DIR}."
    )


def default_edition(serve: Path) -> str | None:
    """Whose files stand below `serve` itself: COLLAB_EDITION's, else those of the only one."""
    there, wanted = served_editions(serve), os.environ.get(ENV_EDITION)
    if wanted in there:
        return wanted
    return there[0] if len(there) == 1 else None
