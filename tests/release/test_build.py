"""What a publication shares with the lake stays whole, whatever becomes of either."""

import shutil
from pathlib import Path

import duckdb
import pytest

import collab
from collab.base import fingerprint
from collab.base.errors import CollabError
from collab.base.files import is_whole
from collab.release import build
from collab.release.gates import proven
from collab.release.retention import removable, remove
from collab.release.rollback import roll_back
from collab.release.snapshot import current_snapshot
from tests.release.planted import N_MOVIES, N_USERS, Published, ask, rated

RATINGS = sum(rated(u, m) for u in range(1, N_USERS + 1) for m in range(1, N_MOVIES + 1))


def ratings_in(parquet: Path) -> int:
    """How many ratings a folder of Parquet holds."""
    with duckdb.connect() as con:
        path = str(parquet / "ratings.parquet")
        ((n,),) = con.execute("SELECT count(*) FROM read_parquet(?)", [path]).fetchall()
    return int(n)


def test_ratings_and_users_are_not_written_twice(published: Published) -> None:
    parquet = published.serve / "parquet"
    for shared in (published.lake.ratings, published.lake.users):
        assert (parquet / shared.name).samefile(shared)
        assert shared.stat().st_mode & 0o222 == 0, "read-only under both names"
    assert not (parquet / "movies.parquet").samefile(published.lake.movies)
    assert is_whole(published.lake.path)


def test_a_publication_outlives_the_lake_it_came_from(mine: Published) -> None:
    second, _ = mine.publish(force=True)
    shutil.rmtree(mine.lake.path)
    target = roll_back(mine.serve, 1)  # which compares tables and files
    assert ratings_in(target.folder / "parquet") == ratings_in(second.folder / "parquet") == RATINGS


def test_the_lake_outlives_publications_and_what_gc_removes(mine: Published) -> None:
    mine.publish(force=True)
    assert removable(mine.data, days=0) == [], "what is published keeps its lake"
    shutil.rmtree(mine.serve)
    remove(mine.data, removable(mine.data, days=0))
    assert is_whole(mine.lake.path), "the newest of an edition stays"
    assert ratings_in(mine.lake.path) == RATINGS
    with pytest.raises(CollabError, match="Nothing is published"):
        collab.connect(mine.data.root)


def test_a_refused_publication_leaves_the_lake_whole(
    mine: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(folder: Path) -> None:
        raise OSError("made to fail")

    monkeypatch.setattr(build, "compare_with_parquet", differ)
    with pytest.raises(CollabError, match="made to fail"):
        mine.publish(force=True)
    assert is_whole(mine.lake.path)
    found = current_snapshot(mine.serve)
    assert found
    assert found.seq == 1


def test_code_that_changes_while_tables_are_built_publishes_nothing(
    mine: Published, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What of it was read late would be another version's, under the key of this one."""
    late = tmp_path / "late.sql"
    late.write_text("SELECT 1")
    monkeypatch.setitem(fingerprint.LOADED, late, (fingerprint.stamp(late), "SELECT 1"))
    check = build.compare_with_parquet

    def change(folder: Path) -> None:
        check(folder)
        late.write_text("SELECT 23")

    monkeypatch.setattr(build, "compare_with_parquet", change)
    with pytest.raises(CollabError, match="The code changed under this run"):
        mine.publish(force=True)
    assert [path.name for path in (mine.serve / "snapshots").iterdir()] == ["000001"]


def test_where_files_cannot_be_shared_they_are_copied(
    mine: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    def across(source: Path, target: Path) -> None:
        raise OSError("Invalid cross-device link")

    monkeypatch.setattr("collab.release.build.os.link", across)
    snapshot, _ = mine.publish(force=True)
    copied = snapshot.folder / "parquet" / "ratings.parquet"
    assert not copied.samefile(mine.lake.ratings)
    assert ratings_in(copied.parent) == RATINGS
    assert copied.stat().st_mode & 0o222 == 0


def test_a_shared_file_of_other_rows_is_refused(mine: Published) -> None:
    folder = current_snapshot(mine.serve)
    assert folder
    database = folder.database
    database.chmod(0o644)
    with duckdb.connect(database) as con:
        con.execute("UPDATE ratings SET rating = 1 WHERE position = 3")
    with pytest.raises(OSError, match="the table ratings differs from its Parquet copy"):
        build.compare_with_parquet(folder.folder)


def test_gates_are_known_only_by_checks_that_passed() -> None:
    checks = [
        {"name": "user_movie_unique", "passed": True},
        {"name": "movie_id_unique", "passed": False},
        {"name": "title_unique", "passed": True},
    ]
    assert proven(checks) == {"ratings_unique"}


def test_movies_carry_their_counts_and_folded_titles(published: Published) -> None:
    with collab.connect(published.data.root) as con:
        found = ask(
            con, "SELECT title, n_ratings, title_folded FROM movies WHERE movie_id IN (3, 4)"
        )
        ((wrong,),) = ask(
            con,
            "SELECT count(*) FROM movies WHERE n_ratings <> "
            "(SELECT count(*) FROM ratings WHERE ratings.movie_id = movies.movie_id)",
        )
    folded = {title: text for title, _, text in found}
    assert folded == {
        "Amélie of Montmartre (2001)": "| amelie of montmartre 2001 |",
        "Silence of the Lambs, The (1991)": (
            "| silence of the lambs 1991 | silence of the lambs the 1991 "
            "| the silence of the lambs 1991 |"
        ),
    }
    assert wrong == 0
