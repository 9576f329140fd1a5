"""The movies of the search box: those of the table, and as many as the page has room for."""

from pathlib import Path

import duckdb
import pytest

from collab.report import similar
from collab.report.page import render
from tests.release.planted_database import MOVIES, insert_newcomer, title, write_database
from tests.report.test_report import words


def test_similar_movies_are_those_of_the_table(
    planted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "MOVIES_SHOWN", 5)
    with duckdb.connect(planted, read_only=True) as con:
        found = similar.similar_movies(con)
    assert len(found["near"]) == 5
    assert found["titles"][:3] == [title(movie) for movie in (1, 2, 3)]  # the most rated first
    places, cosines = found["near"][1][::2], found["near"][1][1::2]
    assert [found["titles"][at] for at in places] == [title(movie) for movie in range(3, 13)]
    assert cosines == [95, 90, 85, 80, 75, 70, 65, 60, 55, 50]
    assert len(found["titles"]) == len(found["ratings"]) < MOVIES


def test_a_large_edition_stays_under_two_megabytes(tmp_path: Path) -> None:
    """30,000 movies, 96 factors, and more neighbours than can be shown."""
    database = write_database(tmp_path / "large.duckdb")
    with duckdb.connect(database) as con:
        con.execute("""
            INSERT INTO movies BY NAME
            SELECT m AS movie_id, m AS item_id, repeat('Long ', 4) || m AS title,
                   '| ' || lower(title) || ' |' AS title_folded,
                   ['Drama', 'Documentary', 'Adventure', 'Children'] AS genres, 100 AS n_ratings
            FROM range(1000, 31000) AS t(m)""")
        con.execute("""
            INSERT INTO movie_bias BY NAME
            SELECT movie_id AS item_id, 1000000 - movie_id AS n_ratings, 0.1 AS bias,
                   movie_id AS rank, 3.5 AS mean_rating FROM movies WHERE movie_id >= 1000""")
        con.execute("""
            INSERT INTO movie_pca BY NAME
            SELECT item_id, n_ratings, sin(item_id) AS pc1, cos(item_id) AS pc2
            FROM movie_bias WHERE item_id BETWEEN 1000 AND 1999""")
        con.execute("""
            INSERT INTO movie_similarity BY NAME
            SELECT item_id, 1000 + (item_id * 7919 + k * 104729) % 3000 AS neighbor_id,
                   1 - k / 20 AS similarity, k AS rank_popular
            FROM movie_bias, range(1, 11) AS r(k) WHERE item_id >= 1000""")
        for table in ("newcomer", "starter_movies", "movie_factors"):
            con.execute(f"DROP TABLE {table}")
        insert_newcomer(con, range(1000, 4000), factors=96)
        found = similar.similar_movies(con)
    assert 0.9 * similar.BYTES < similar.bytes_of(found) <= similar.BYTES
    assert found["titles"][: len(found["near"])] == [
        f"{'Long ' * 4}{1000 + at}" for at in range(len(found["near"]))
    ], "the most rated stay"
    page = render(database)
    assert len(page.encode()) < 1_900_000, "the curves of twenty runs take another 0.1 MB"
    assert "over the 1,275 most rated movies" in words(page), "so many rows of 97 columns fit"
    assert f"{len(found['near']):,} titles can be looked up" in words(page)
