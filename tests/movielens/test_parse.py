"""Every layout gives the same planted tables."""

import re
from pathlib import Path

import duckdb
import pytest

from collab.base.errors import CollabError
from collab.movielens.editions import EDITIONS, ML_1M, ML_10M, ML_32M, ML_100K, Edition, ItemKey
from collab.movielens.layouts import layout_of
from collab.movielens.members import Members
from collab.movielens.parse import parse
from tests.archives import N_MOVIES, N_USERS, members, planted, write_archive

LAYOUTS = [ML_100K, ML_1M, ML_10M, ML_32M]


def parsed(
    tmp_path: Path, edition: Edition, key: ItemKey = "movie", changed: dict[str, str] | None = None
) -> duckdb.DuckDBPyConnection:
    archive = write_archive(tmp_path / "a.zip", edition, changed=changed)
    con = duckdb.connect()
    parse(con, Members.of(archive, edition), edition, key, tmp_path)
    return con


def test_the_four_layouts_are_all_there_are() -> None:
    assert {edition.layout for edition in LAYOUTS} == {e.layout for e in EDITIONS.values()}


@pytest.mark.parametrize("edition", LAYOUTS, ids=lambda e: e.name)
def test_ratings_keep_archive_order_and_values(tmp_path: Path, edition: Edition) -> None:
    con = parsed(tmp_path, edition)
    rows = con.execute(
        "SELECT user_id, movie_id, rating, ts FROM ratings ORDER BY position"
    ).fetchall()
    assert rows == planted().ratings
    assert con.execute("SELECT min(position), max(position) FROM ratings").fetchall() == [
        (0, len(rows) - 1)
    ]


@pytest.mark.parametrize("edition", LAYOUTS, ids=lambda e: e.name)
def test_movies_keep_titles_accents_years_and_genres(tmp_path: Path, edition: Edition) -> None:
    con = parsed(tmp_path, edition)
    rows = con.execute("SELECT movie_id, title, genres FROM movies ORDER BY movie_id").fetchall()
    assert rows == planted().movies
    years = con.execute("SELECT release_year FROM movies ORDER BY movie_id").fetchall()
    assert years[:3] == [(1995,), (1999,), (1983,)]


@pytest.mark.parametrize("edition", LAYOUTS, ids=lambda e: e.name)
def test_types_are_those_promised(tmp_path: Path, edition: Edition) -> None:
    con = parsed(tmp_path, edition)
    types = {
        table: [(row[0], row[1]) for row in con.execute(f"DESCRIBE {table}").fetchall()]
        for table in ("ratings", "movies", "users")
    }
    assert types["ratings"] == [
        ("position", "BIGINT"),
        ("user_id", "INTEGER"),
        ("movie_id", "INTEGER"),
        ("rating", "FLOAT"),
        ("ts", "BIGINT"),
    ]
    assert types["movies"] == [
        ("movie_id", "INTEGER"),
        ("item_id", "INTEGER"),
        ("title", "VARCHAR"),
        ("release_year", "SMALLINT"),
        ("genres", "VARCHAR[]"),
    ]
    assert types["users"][0] == ("user_id", "INTEGER")


@pytest.mark.parametrize("edition", LAYOUTS, ids=lambda e: e.name)
def test_users_have_demographics_where_published(tmp_path: Path, edition: Edition) -> None:
    con = parsed(tmp_path, edition)
    rows = con.execute("SELECT user_id, age, gender, zip_code FROM users ORDER BY 1").fetchall()
    assert len(rows) == N_USERS
    known = edition.layout in {"tab", "dat_users"}
    assert rows[0] == ((1, 21, "F", "01234") if known else (1, None, None, None))


def test_an_item_is_a_title_or_a_movie(tmp_path: Path) -> None:
    by_title = parsed(tmp_path, ML_100K, "title")
    query = f"SELECT item_id FROM movies WHERE movie_id IN (15, {N_MOVIES}) ORDER BY movie_id"
    assert by_title.execute(query).fetchall() == [(15,), (15,)]
    by_movie = parsed(tmp_path, ML_100K, "movie")
    assert by_movie.execute(query).fetchall() == [(15,), (N_MOVIES,)]


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Twelve Monkeys (1995)", 1995),
        ("Land Before Time III (1995) (V)", 1995),
        ("1984 (Nineteen Eighty-Four) (1984)", 1984),
        ("Fawlty Towers (1975-1979)", 1975),
        ("The Show (2016–)", 2016),
        ("The Show (2009– )", 2009),
        ("The Show (2009-)", 2009),
        ("The Show (2009 – 2011)", 2009),
        ("The Show (2009—2011)", 2009),
        ("The Show ( 2009 )", 2009),
        ("The Show (2009-10)", None),
        ("Babylon 5", None),
        ("unknown", None),
    ],
)
def test_the_year_of_a_title(tmp_path: Path, title: str, year: int | None) -> None:
    con = parsed(
        tmp_path, ML_32M, changed={"movies.csv": f"movieId,title,genres\n1,{title},Drama\n"}
    )
    assert con.execute("SELECT release_year FROM movies").fetchall() == [(year,)]


def test_no_genres_listed_is_an_empty_list(tmp_path: Path) -> None:
    text = "movieId,title,genres\n1,A (1999),(no genres listed)\n"
    con = parsed(tmp_path, ML_32M, changed={"movies.csv": text})
    assert con.execute("SELECT genres FROM movies").fetchall() == [([],)]


def test_text_in_a_number_column_is_refused_with_its_line(tmp_path: Path) -> None:
    text = members(ML_100K, planted())["u.data"].splitlines()
    text[6] = "7\tseven\t3\t880000000"
    with pytest.raises(CollabError, match=r"u\.data, line 7: .*\"movie_id\".*seven"):
        parsed(tmp_path, ML_100K, changed={"u.data": "\n".join(text)})


@pytest.mark.parametrize("edition", LAYOUTS, ids=lambda e: e.name)
@pytest.mark.parametrize(
    ("column", "value"),
    [(0, "1.7"), (1, "2.5"), (1, "3000000000"), (3, "964982703.6"), (3, "nan")],
)
def test_what_is_no_integer_is_refused_with_its_line(
    tmp_path: Path, edition: Edition, column: int, value: str
) -> None:
    member = layout_of(edition).ratings
    text = members(edition, planted())[member.name].splitlines()
    fields = text[6].split(member.delimiter)
    fields[column] = value
    text[6] = member.delimiter.join(fields)
    name = list(member.columns)[column]
    said = rf'{re.escape(member.name)}, line 7: the column "{name}" holds {float(value)!r}'
    with pytest.raises(CollabError, match=said):
        parsed(tmp_path, edition, changed={member.name: "\n".join(text)})


def test_a_fraction_is_refused_in_movies_and_users_too(tmp_path: Path) -> None:
    users = members(ML_100K, planted())["u.user"].replace("1|21|F", "1|21.5|F", 1)
    with pytest.raises(CollabError, match=r'u\.user, line 1: the column "age" holds 21\.5'):
        parsed(tmp_path, ML_100K, changed={"u.user": users})
    movies = members(ML_32M, planted())["movies.csv"].replace("\n3,", "\n3.2,", 1)
    with pytest.raises(CollabError, match=r'movies\.csv, line 4: the column "movie_id" holds 3\.2'):
        parsed(tmp_path, ML_32M, changed={"movies.csv": movies})


def test_bytes_that_are_no_utf_8_are_refused_with_their_line(tmp_path: Path) -> None:
    for name, text in members(ML_32M, planted()).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "movies.csv").write_bytes(b"movieId,title,genres\n1,Caf\xe9 (1999),Drama\n")
    with (
        duckdb.connect() as con,
        pytest.raises(CollabError, match=r"movies\.csv, line 2: Invalid unicode .*not utf-8"),
    ):
        parse(con, Members.of(tmp_path, ML_32M), ML_32M, "movie", tmp_path)


def test_a_short_line_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(CollabError, match=r"u\.data, line 2: Expected Number of Columns: 4"):
        parsed(tmp_path, ML_100K, changed={"u.data": "1\t2\t3\t880000000\n1\t3\t4\n"})


def test_a_swapped_header_is_refused(tmp_path: Path) -> None:
    text = members(ML_32M, planted())["ratings.csv"].replace("userId,movieId", "movieId,userId", 1)
    with pytest.raises(CollabError, match=r"ratings\.csv: the header is 'movieId,userId"):
        parsed(tmp_path, ML_32M, changed={"ratings.csv": text})
