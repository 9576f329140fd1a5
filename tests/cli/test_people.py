"""What people would like, on the command line and from Python, on planted tables.

Movie m has the bias 1 - rank / 10: 1.0 - 0.2 for movie 1, 1 - 0.3 for 2, 1 - 0.4 for 3, and 0.9 for
movie 8. Odd movies are (1, 0), even ones (0, 1); the mean is 3.
"""

import json
from pathlib import Path

import duckdb
import pytest

import collab
from collab.base.errors import CollabError
from tests.cli.served import serve_by_hand
from tests.typed import Capture, cells, error, out

pytestmark = pytest.mark.usefixtures("data_dir")


def rows(capsys: Capture, *typed: str) -> list[dict[str, object]]:
    """What a command gives as JSON."""
    found: list[dict[str, object]] = json.loads(out(capsys, *typed, "--json"))
    return found


class TestPredict:
    def test_a_user_of_the_edition(self, capsys: Capture) -> None:
        (found,) = rows(capsys, "predict", "42", "lambs")
        # 3 + 0.2 + bias 0.5 + (1, 0.1) . (0, 1)
        assert found["prediction"] == pytest.approx(3.8)
        assert found["rating"] is None
        # x = (0, 1, 1), ratings of (1, 0, 1) and (0, 1, 1), prior 1: x' (X'X + 1)^-1 x = 5 / 8
        assert found["sd"] == pytest.approx((1 + 5 / 8) ** 0.5)

    def test_what_was_given_stands_beside_it(self, capsys: Capture) -> None:
        printed = out(capsys, "predict", "42", "alien")
        given = {row[1]: row[5] for row in [["", *row] for row in cells(printed)]}
        assert given == {"Alien (1979)": "5.0", "Aliens (1986)": "3.0"}
        assert printed.startswith("What user 42 would give")

    def test_nobody_rated_it(self, capsys: Capture) -> None:
        printed = out(capsys, "predict", "42", "nobodys film")
        assert "nobody has rated it; this is from its genres and year alone." in printed
        (found,) = rows(capsys, "predict", "42", "nobodys film")
        # 3 + 0.2 + bias 0.1 + (1, 0.1) . (0.5, 0.5)
        assert found["prediction"] == pytest.approx(3.85)
        # x = (0.5, 0.5, 1): x' (X'X + 1)^-1 x = 3 / 8, and the row's own 0.5 squared
        assert found["sd"] == pytest.approx((1 + 3 / 8 + 1 / 4) ** 0.5)
        assert found["n_ratings"] == 0
        with collab.connect() as con:
            assert con.execute("SELECT sd FROM predict(42, 99)").fetchall() == [
                (pytest.approx(found["sd"]),)
            ]

    def test_nobody_there(self, capsys: Capture) -> None:
        said = error(capsys, "predict", "4242", "alien")
        assert "No user 4242 has rated anything here; ids go from 1 to 42." in said
        assert "--rated" in said

    def test_no_movie(self, capsys: Capture) -> None:
        assert "No movie fits 'nosuch'" in error(capsys, "predict", "42", "nosuch")

    def test_digits_are_an_id_where_there_is_one(self, capsys: Capture) -> None:
        assert [row["item_id"] for row in rows(capsys, "predict", "42", "4")] == [4]
        assert [row["item_id"] for row in rows(capsys, "predict", "42", "1968")] == [5]


class TestRecommend:
    def test_a_user_gets_what_is_not_rated_by_score(self, capsys: Capture) -> None:
        found = rows(capsys, "recommend", "42", "-k", "3")
        # odd movies are worth 0.9 more: 3 (0.6), 5 (0.4), 7 (0.2), while 8 is 0.9 alone
        assert [row["item_id"] for row in found] == [3, 5, 7]
        assert [row["because"] for row in found] == ["Alien (1979)"] * 3
        assert [row["prediction"] for row in found] == pytest.approx([4.8, 4.6, 4.4])

    def test_filters(self, capsys: Capture) -> None:
        found = rows(capsys, "recommend", "42", "--genre", "comedy", "-k", "99")
        assert [row["item_id"] for row in found] == [8, *range(4, 31, 2)[:2], *range(10, 31, 2)]
        years = rows(capsys, "recommend", "42", "--from", "1982", "--to", "1991", "-k", "99")
        assert sorted(int(str(row["item_id"])) for row in years)[:4] == [4, 6, 12, 13]
        assert {int(str(row["title"])[-5:-1]) for row in years} == {*range(1982, 1992)}
        assert "Did you mean Drama?" in error(capsys, "recommend", "42", "--genre", "Dramma")
        said = error(capsys, "recommend", "42", "--min-ratings", "61")
        assert "No movie is left" in said

    def test_someone_new(self, capsys: Capture) -> None:
        printed = out(capsys, "recommend", "--rated", "Alien=5", "--rated", "Aliens=1", "-k", "2")
        assert printed.startswith("For who gave Alien (1979) 5, Aliens (1986) 1\n")
        found = rows(capsys, "recommend", "--rated", "1=5", "--rated", "2=1", "-k", "2")
        # left over: 5 - 3.8 = 1.2 and 1 - 3.7 = -2.7; (X'X + 1) w = X'y gives
        # w = (0.7875, -1.1625, -0.375): 3 + 0.6 + 0.4125 for movie 3
        assert found[0]["item_id"] == 3
        assert found[0]["prediction"] == pytest.approx(4.0125)
        assert found[0]["because"] == "Alien (1979)"
        # (1, 0, 1) (X'X + 1)^-1 (1, 0, 1) = 5 / 8 of a surprise of 1.2
        assert found[0]["pull"] == pytest.approx(0.75)
        assert not {1, 2} & {row["item_id"] for row in found}

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ([], "Give a user's id, or what someone new rated"),
            (["42", "--rated", "Alien=5"], "Give a user's id, or what someone new rated"),
            (["--rated", "Alien"], "'Alien' is no movie with stars"),
            (["--rated", "=5"], "'=5' is no movie with stars"),
            (["--rated", "Alien=nan"], "is no movie with stars"),
            (["--rated", "Alien=9"], "Alien (1979): 9 stars; ratings go from 0.5 to 5."),
            (["--rated", "nosuch=5"], "No movie fits 'nosuch'"),
            (["--rated", "nobodys=5"], "Nobody's Film (1950) has no ratings here"),
            (["--rated", "Alien=5", "--rated", "1=4"], "Alien (1979) is rated twice"),
            (["4242"], "No user 4242"),
        ],
    )
    def test_mistakes(self, capsys: Capture, typed: list[str], said: str) -> None:
        assert said in error(capsys, "recommend", *typed)


def test_ask(capsys: Capture) -> None:
    printed = out(capsys, "ask", "-k", "2")
    assert [row[0] for row in cells(printed)] == ["1", "2"]
    assert cells(printed)[0][1] == "War of the Worlds (1953)"
    assert cells(printed)[0][2:4] == ["100%", "90%"]


def test_from_python_the_same(data_dir: Path) -> None:
    with collab.connect(data_dir) as con:
        new = collab.recommend_for({"Alien": 5, 2: 1}, k=1, con=con).fetchall()
        assert new[0][1] == "Amélie of Montmartre (2001)"
        both = collab.predict({"Alien": 5}, "lambs", con).fetchall()
        assert [row[0] for row in both] == ["Silence of the Lambs, The (1991)"]
        assert len(collab.recommend(42, 4, genre="Drama", con=con).fetchall()) == 4
        assert collab.ask(1, con).columns[:2] == ["rank", "title"]
        with pytest.raises(CollabError, match="at least one movie"):
            collab.recommend_for({}, con=con)


def test_a_champion_that_takes_in_nobody_says_so(capsys: Capture, tmp_path: Path) -> None:
    path = serve_by_hand(tmp_path / "serve") / "movielens.duckdb"
    with duckdb.connect(path) as con:
        con.execute("DELETE FROM newcomer")
        con.execute("DELETE FROM cold_movies")
        con.execute("UPDATE publish_info SET champion_variant = 'collab_nn'")
    there = ["--data-dir", str(tmp_path)]
    for typed in (["ask"], ["recommend", "--rated", "Alien=5"]):
        said = error(capsys, *typed, *there)
        assert said.startswith("error: The champion, collab_nn, cannot take in anyone new")
    (found,) = rows(capsys, "predict", "42", "lambs", *there)
    assert found["prediction"] == pytest.approx(3.8)
    assert [found[name] for name in ("sd", "low", "because")] == [None] * 3
    # and where nothing is told of unrated movies, either
    printed = out(capsys, "predict", "42", "nobodys film", *there)
    assert "Nobody's Film (1950): nobody has rated it, so nothing is predicted." in printed
