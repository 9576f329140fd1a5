"""Archive to Parquet: once, checked, typed, sorted."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from collab.base.errors import CollabError
from collab.base.files import SEAL, read_json, seal, write_json
from collab.base.paths import DataDir
from collab.lake import find_manifest, ingest
from collab.movielens.checks import CheckError
from collab.movielens.editions import ML_1M, ML_100K
from collab.movielens.sources import find_archive
from tests.archives import (
    N_MOVIES,
    N_USERS,
    Planted,
    fold_files,
    fold_of,
    members,
    planted,
    write_archive,
)


def ingested(data: DataDir, archive: Path, *, force: bool = False) -> bool:
    source = find_archive(ML_100K, data, archive=archive, trust=True)
    return ingest(source, data, force=force)[1]


def test_the_same_archive_is_taken_in_once(data: DataDir, planted_zip: Path) -> None:
    assert [ingested(data, planted_zip) for _ in range(2)] == [True, False]
    assert ingested(data, planted_zip, force=True)


def test_another_item_key_is_another_folder(data: DataDir, planted_zip: Path) -> None:
    source = find_archive(ML_100K, data, archive=planted_zip, trust=True)
    by_title, _ = ingest(source, data)
    by_movie, made = ingest(source, data, item_key="movie")
    assert made
    assert by_title.fingerprint != by_movie.fingerprint


def test_the_manifest_says_what_there_is(data: DataDir, planted_zip: Path) -> None:
    source = find_archive(ML_100K, data, archive=planted_zip, trust=True)
    manifest, _ = ingest(source, data)
    n = len(planted().ratings)
    assert manifest.counts == {"ratings": n, "movies": N_MOVIES, "users": N_USERS}
    assert manifest.source["origin"] == str(planted_zip)
    assert manifest.path.parent == data.lake / "ml-100k"
    assert {c["name"] for c in manifest.checks() if not c["passed"]} == {
        "ratings_as_published",
        "users_as_published",
        "movies_as_published",
        "title_unique",
    }


def test_ratings_are_sorted_by_user_and_time_and_keep_their_place(
    data: DataDir, planted_zip: Path
) -> None:
    source = find_archive(ML_100K, data, archive=planted_zip, trust=True)
    manifest, _ = ingest(source, data)
    with duckdb.connect() as con:
        rows = con.execute(f"FROM '{manifest.ratings}'").fetchall()
    assert [row[1:] for row in sorted(rows)] == planted().ratings
    assert [(row[1], row[4]) for row in rows] == sorted((row[1], row[4]) for row in rows)


def test_a_failed_check_commits_nothing_and_keeps_its_results(
    data: DataDir, tmp_path: Path
) -> None:
    good = planted()
    bad = Planted([*good.ratings, good.ratings[0]], good.movies)
    archive = write_archive(tmp_path / "a.zip", ML_100K, bad)
    with pytest.raises(CheckError, match="user_movie_unique: 1 failing"):
        ingested(data, archive)
    folder = data.lake / "ml-100k"
    (kept,) = folder.glob("*.rejected.json")
    assert not any(path.is_dir() for path in folder.iterdir())
    failed = [r["name"] for r in read_json(kept) if not r["passed"] and r["severity"] == "error"]
    assert failed == ["user_movie_unique"]


def test_an_archive_taken_on_trust_is_not_reused_without_it(data: DataDir, tmp_path: Path) -> None:
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    for name, text in members(ML_1M, planted()).items():
        (folder / name).write_text(text, encoding="latin-1")
    trusted = find_archive(ML_1M, data, archive=folder, trust=True)
    ingest(trusted, data)
    plain = find_archive(ML_1M, data, archive=folder)
    with pytest.raises(CheckError, match="ratings_as_published"):
        ingest(plain, data)


def test_folds_are_kept_by_the_places_of_their_ratings(data: DataDir, tmp_path: Path) -> None:
    plain = write_archive(tmp_path / "plain.zip", ML_100K)
    folded = write_archive(tmp_path / "folded.zip", ML_100K, changed=fold_files(planted()))
    sources = [
        replace(find_archive(ML_100K, data, archive=archive, trust=True), sha256="published")
        for archive in (plain, folded)
    ]  # the published sum is that of the members known one by one, of which the folds are none
    (without, _), (with_, made) = (ingest(source, data) for source in sources)
    assert made
    assert without.fingerprint != with_.fingerprint
    assert not without.folds.exists()
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT fold, position FROM '{with_.folds}'").fetchall()
    n = len(planted().ratings)
    expected = [(fold_of(place), place) for place in range(n)] + [("ua", 0), ("ub", n - 1)]
    assert sorted(rows) == sorted(expected)


def test_a_folder_of_another_version_is_left_out(
    data: DataDir, planted_zip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = find_archive(ML_100K, data, archive=planted_zip, trust=True)
    by_title, _ = ingest(source, data)
    by_movie, _ = ingest(source, data, item_key="movie")
    record = read_json(by_movie.path / "manifest.json")
    write_json(by_movie.path / "manifest.json", {**record, "schema": 0})
    (by_movie.path / SEAL).unlink()
    seal(by_movie.path)
    assert find_manifest(data, "ml-100k") == by_title
    assert "is left out: its record is of another version (schema 0" in caplog.text
    with pytest.raises(CollabError, match="holds no ml-1m"):
        find_manifest(data, "ml-1m")


def test_a_missing_value_is_said_with_its_place(data: DataDir, tmp_path: Path) -> None:
    text = members(ML_100K, planted())["u.data"].splitlines()
    user, movie, _, ts = text[6].split("\t")
    text[6] = f"{user}\t{movie}\t\t{ts}"
    archive = write_archive(tmp_path / "a.zip", ML_100K, changed={"u.data": "\n".join(text)})
    with pytest.raises(CheckError, match="ratings_without_nulls: 1 failing, first: position=6"):
        ingested(data, archive)


def test_an_archive_in_another_order_gives_the_same_lake(data: DataDir, tmp_path: Path) -> None:
    rows = planted()
    lakes = []
    for name, ratings in (("by movie", rows.ratings), ("by user", sorted(rows.ratings))):
        archive = write_archive(tmp_path / f"{name}.zip", ML_100K, Planted(ratings, rows.movies))
        source = find_archive(ML_100K, data, archive=archive, trust=True)
        lakes.append(ingest(source, data)[0])
    assert lakes[0].counts == lakes[1].counts
    with duckdb.connect() as con:
        first, second = (con.execute(f"FROM '{lake.ratings}'").fetchall() for lake in lakes)
        assert [row[1:] for row in first] == [row[1:] for row in second]
        for name in ("movies", "users"):
            first, second = (
                con.execute(f"FROM '{lake.path / name}.parquet'").fetchall() for lake in lakes
            )
            assert first == second
