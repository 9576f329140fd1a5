"""Where things lie below the data folder."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from collab.base.errors import CollabError

ENV_DATA_DIR = "COLLAB_DATA_DIR"
# DuckDB takes what follows a ? for options, and a \\ for a /
NOT_IN_PATHS = frozenset("?\\")


@dataclass(frozen=True)
class DataDir:
    """The data folder: `raw`, `lake`, `datasets`, `runs`, `search`, `serve` stand below it."""

    root: Path

    @property
    def raw(self) -> Path:
        """Archives as fetched: `raw/<edition>/<edition>.zip`."""
        return self.root / "raw"

    @property
    def lake(self) -> Path:
        """Parquet: `lake/<edition>/<fingerprint>/`."""
        return self.root / "lake"

    @property
    def datasets(self) -> Path:
        """Train and validation rows as arrays: `datasets/<edition>-<protocol>-<key>/`."""
        return self.root / "datasets"

    @property
    def runs(self) -> Path:
        """Training runs: `runs/<run_id>/`."""
        return self.root / "runs"

    @property
    def search(self) -> Path:
        """What searches found: `search/<name>/`."""
        return self.root / "search"

    @property
    def trials(self) -> Path:
        """The runs of searches, no candidates for publication: `search/runs/<run_id>/`."""
        return self.search / "runs"

    @property
    def history(self) -> Path:
        """Records of runs whose folders are gone: `history/<run_id>.json`."""
        return self.root / "history"

    @property
    def serve(self) -> Path:
        """What analysts read: `serve/<edition>/movielens.duckdb`."""
        return self.root / "serve"

    @property
    def running(self) -> Path:
        """A file for each flow that runs: `running/<number>.json`; see `alive`."""
        return self.root / "running"

    @property
    def journal(self) -> Path:
        """One line for each step that ended: `journal.jsonl`."""
        return self.root / "journal.jsonl"


def given_path(text: str | Path) -> Path:
    """A path as somebody typed it, wherever it enters: `~` stands for the home folder.

    Raises:
        CollabError: there is no such home folder.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise CollabError(f"{text}: there is no such home folder; write the path out.") from error


def data_dir(given: str | Path | None = None) -> DataDir:
    """The folder given, else `COLLAB_DATA_DIR`, else `data` below the working directory.

    Raises:
        CollabError: DuckDB, or a line of text, could not hold a file below a folder of that name.
    """
    root = given_path(given or os.environ.get(ENV_DATA_DIR) or "data").absolute()
    odd = sorted({c for c in str(root) if c in NOT_IN_PATHS or not c.isprintable()})
    if odd:
        raise CollabError(
            f"The data folder {str(root)!r} has {' and '.join(map(repr, odd))} in its path, which "
            "DuckDB cannot open; name one without."
        )
    return DataDir(root)


def writable_data_dir(given: str | Path | None = None) -> DataDir:
    """The data folder, made if it is not there.

    Raises:
        CollabError: the folder, or one that stands below it, cannot be made or written.
    """
    data = data_dir(given)
    folder = data.root
    try:
        folder.mkdir(parents=True, exist_ok=True)
        below = (data.raw, data.lake, data.datasets, data.runs, data.search, data.serve)
        for folder in (data.root, *below):
            if folder.exists():
                tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CollabError(
            f"The data folder {folder} cannot be written ({error.strerror}). "
            f"Make it writable, or name another with --data-dir or {ENV_DATA_DIR}."
        ) from error
    return data
