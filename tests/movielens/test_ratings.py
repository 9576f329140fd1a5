"""The one pass over the ratings: any order gives the same file, and no duplicate hides."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from collab.base.database import open_database
from collab.movielens import ratings
from collab.movielens.editions import ML_32M
from collab.movielens.layouts import layout_of
from collab.movielens.members import Members
from collab.movielens.ratings import Odd, write_ratings
from tests.archives import Planted, members, planted, write_archive

Row = tuple[int, int, float, int]
BY_USER = sorted(planted().ratings)


@pytest.fixture(autouse=True, params=[2048, 1 << 17], ids=["small parts", "one part"])
def _parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "ROWS", request.param)


def many() -> list[Row]:
    """6,000 ratings by user: some users of 3 ratings, one of 3,000; times fall as movies rise."""
    sizes = [3, 500, 3000, 3, 997, 1497]
    return [
        (user, 1 + 2 * place, 4.0, 900_000_000 - place)
        for user, size in enumerate(sizes, start=1)
        for place in range(size)
    ]


def taken_in(
    folder: Path, rows: list[Row], changed: dict[str, str] | None = None
) -> tuple[list[tuple[int, int, int, float, int]], bool]:
    """The rows of the file, with their places, and whether no pair was found twice."""
    archive = write_archive(folder / "a.zip", ML_32M, Planted(rows, planted().movies), changed)
    with open_database() as con:
        found, member = Members.of(archive, ML_32M), layout_of(ML_32M).ratings
        unique = write_ratings(con, found, member, folder / "r.parquet")
    table = pq.read_table(folder / "r.parquet")
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True)), unique


def expected(rows: list[Row]) -> list[tuple[int, int, int, float, int]]:
    """By user, time and place, worked out without the pass."""
    placed = [(place, *row) for place, row in enumerate(rows)]
    return sorted(placed, key=lambda row: (row[1], row[4], row[0]))


@pytest.mark.parametrize("rows", [BY_USER, many(), []], ids=["planted", "many", "none"])
def test_rows_by_user_come_sorted_by_time_with_their_places(
    tmp_path: Path, rows: list[Row]
) -> None:
    assert taken_in(tmp_path, rows) == (expected(rows), True)


def test_an_archive_in_any_order_gives_the_same_rows(tmp_path: Path) -> None:
    rows = many()
    shuffled = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
    found, unique = taken_in(tmp_path, shuffled)
    assert unique
    assert found == expected(shuffled)
    assert [row[1:] for row in found] == [row[1:] for row in expected(rows)]


def test_a_user_who_comes_back_at_the_end_is_put_with_the_first(tmp_path: Path) -> None:
    rows = [*many(), (1, 2, 3.0, 900_000_001)]
    found, unique = taken_in(tmp_path, rows)
    assert unique
    assert found[3] == (6000, 1, 2, 3.0, 900_000_001)


@pytest.mark.parametrize("first", [0, 2, 502, 2047, 3502, 5999])
@pytest.mark.parametrize("where", ["at once", "at the user's end", "at the end of all"])
def test_a_pair_rated_twice_is_found_wherever_it_stands(
    tmp_path: Path, first: int, where: str
) -> None:
    rows = many()
    user, movie, *_ = rows[first]
    twin = (user, movie, 1.0, 950_000_000)
    end = max(place for place, row in enumerate(rows) if row[0] == user) + 1
    at = {"at once": first + 1, "at the user's end": end, "at the end of all": len(rows)}[where]
    rows.insert(at, twin)
    found, unique = taken_in(tmp_path, rows)
    assert not unique
    assert found == expected(rows)  # the pair is there twice, for the check to show


def test_the_same_movie_of_two_users_is_no_pair_twice(tmp_path: Path) -> None:
    rows = [(1, 5, 4.0, 900_000_000), (2, 5, 4.0, 900_000_000)]
    assert taken_in(tmp_path, rows)[1]


@pytest.mark.parametrize(
    "bad", ["9,2.5,4.0,1", "9,3000000000,4.0,1", "9,,4.0,1", "9,1,4.0", "6,1,4.0,99999999999"]
)
def test_what_no_archive_has_is_left_to_sql(tmp_path: Path, bad: str) -> None:
    good = members(ML_32M, Planted(many(), []))["ratings.csv"]
    with pytest.raises(Odd):
        taken_in(tmp_path, [], {"ratings.csv": f"{good}{bad}\n"})
    assert not (tmp_path / "r.parquet").exists()
