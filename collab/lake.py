"""The middle: an edition's tables as Parquet, one folder for each fingerprint."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from collab.base.checks import as_records
from collab.base.database import open_database, read_parquet
from collab.base.errors import CollabError
from collab.base.files import commit_folder, committed, read_json, readable, write_json
from collab.base.fingerprint import code_digest, fingerprint
from collab.base.paths import DataDir
from collab.base.records import record_of
from collab.movielens.checks import CheckError, log_failures, refuse_errors, run_checks
from collab.movielens.editions import Edition, ItemKey, get_edition
from collab.movielens.layouts import layout_of
from collab.movielens.members import Members
from collab.movielens.parse import parse
from collab.movielens.places import members_in
from collab.movielens.sources import Source

SCHEMA = 1
TABLE_ORDER = {"ratings": "user_id, ts, position", "movies": "movie_id", "users": "user_id"}
FOLD_ORDER = "fold, position"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a folder of the lake holds; `path` is where it stands now.

    committed_at: when it was made, ISO 8601, UTC.
    """

    path: Path
    schema: int
    edition: str
    fingerprint: str
    committed_at: str
    item_key: ItemKey
    counts: dict[str, int]
    source: dict[str, Any]

    @property
    def ratings(self) -> Path:
        """Parquet of `position, user_id, movie_id, rating, ts`."""
        return self.path / "ratings.parquet"

    @property
    def movies(self) -> Path:
        """Parquet of `movie_id, item_id, title, release_year, genres`."""
        return self.path / "movies.parquet"

    @property
    def users(self) -> Path:
        """Parquet of `user_id, age, gender, occupation, zip_code`."""
        return self.path / "users.parquet"

    @property
    def folds(self) -> Path:
        """Parquet of `fold, position`: validation rows of the archive's own folds; it may lack."""
        return self.path / "folds.parquet"

    def checks(self) -> list[dict[str, Any]]:
        """The results of the checks, one record each."""
        records: list[dict[str, Any]] = read_json(self.path / "checks.json")
        return records


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of a committed folder.

    Raises:
        OSError, ValueError: it holds none of this schema.
    """
    return record_of(Manifest, read_json(folder / "manifest.json"), SCHEMA, path=folder)


def find_manifest(data: DataDir, edition: str, fingerprint: str | None = None) -> Manifest:
    """The data of an edition that was committed last, or those of a fingerprint.

    Raises:
        CollabError: there are none.
    """
    found = readable(committed(data.lake / edition), load_manifest)
    wanted = [m for m in found if fingerprint in {None, m.fingerprint}]
    if not wanted:
        which = f"{edition} with fingerprint {fingerprint}" if fingerprint else edition
        raise CollabError(f"{data.lake} holds no {which}. Run `ingest` first.")
    return max(wanted, key=lambda manifest: manifest.committed_at)


def ingest(
    source: Source, data: DataDir, *, item_key: ItemKey | None = None, force: bool = False
) -> tuple[Manifest, bool]:
    """Archive to Parquet: parse, check, commit; nothing to do where it is committed.

    Args:
        source: a verified archive.
        data: the data folder.
        item_key: what an item is; by default the edition's own.
        force: do it again.

    Returns:
        The manifest, and whether it was made now.

    Raises:
        CollabError: the archive cannot be parsed.
        CheckError: a check of severity error failed; the results stand beside the lake, under
            `lake/<edition>/<fingerprint>.rejected.json`.
    """
    edition = get_edition(source.edition)
    key = item_key or edition.item_key
    print_ = lake_fingerprint(source, key)
    final = data.lake / edition.name / print_[:16]
    build = partial(build_lake, source=source, edition=edition, key=key, print_=print_)
    try:
        made = commit_folder(final, build, force=force)
    except CheckError as error:
        rejected = final.with_name(f"{final.name}.rejected.json")
        write_json(rejected, as_records(error.results))
        raise
    return load_manifest(final), made


def lake_fingerprint(source: Source, key: ItemKey) -> str:
    """The key of an ingested archive: its content, how it was taken in, and the code that did."""
    return fingerprint(
        archive=source.sha256,
        edition=source.edition,
        item_key=key,
        trusted=source.trusted,
        folds=sorted(fold_files(source)),
        code=code_digest("movielens", "lake.py"),
    )


def fold_files(source: Source) -> set[str]:
    """The files of folds in an archive: the same ratings may come with them or without."""
    edition = get_edition(source.edition)
    names = {member.name for member in layout_of(edition).folds}
    return names & set(members_in(Path(source.path), edition))


def build_lake(
    folder: Path, *, source: Source, edition: Edition, key: ItemKey, print_: str
) -> None:
    """Fill a folder of the lake."""
    members = Members.of(Path(source.path), edition)
    with open_database() as con:
        proved = parse(con, members, edition, key, folder)
        results = run_checks(con, edition, trust=source.trusted, proved=proved)
        log_failures(results)
        refuse_errors(results)
        counts = {
            name: write_table(con, name, order, folder) for name, order in TABLE_ORDER.items()
        }
        if con.execute("FROM folds LIMIT 1").fetchall():
            write_table(con, "folds", FOLD_ORDER, folder)
    write_json(folder / "checks.json", as_records(results))
    write_json(
        folder / "manifest.json",
        {
            "schema": SCHEMA,
            "edition": edition.name,
            "fingerprint": print_,
            "committed_at": datetime.now(UTC).isoformat(),
            "item_key": key,
            "counts": counts,
            "source": {k: v for k, v in asdict(source).items() if k != "fetched_now"},
        },
    )


def write_table(con: duckdb.DuckDBPyConnection, name: str, order: str, folder: Path) -> int:
    """Write a table, sorted, as Parquet; returns its number of rows.

    The ratings stand there already.
    """
    path = folder / f"{name}.parquet"
    if not path.exists():
        con.sql(f"FROM {name} ORDER BY {order}").write_parquet(str(path), compression="zstd")
    (rows,) = con.sql(f"FROM {read_parquet(path)}").count("*").fetchall()[0]
    return int(rows)
