"""The report's content, from a planted database; what a browser makes of it is tested beside."""

import html
import json
import re
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pytest

from collab.estimators.recipes import RECIPES
from collab.report import bias_history, captions
from collab.report.movie_map import label
from collab.report.page import render
from collab.report.reference import BOOK_MSE
from tests.release.planted_database import (
    ODD_TITLES,
    write_database,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_database(tmp_path_factory.mktemp("report") / "planted.duckdb")


@pytest.fixture(scope="module")
def page(database: Path) -> str:
    return render(database)


def inlined(page: str, name: str) -> Any:
    """A JSON block of the page."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def words(page: str) -> str:
    """The text of the page, without scripts and styles."""
    visible = re.sub(r"<(script|style)\b.*?</\1>|<wbr>", "", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", visible)))


def test_one_file_under_two_megabytes_that_asks_for_nothing(database: Path, page: str) -> None:
    names = {path.name for path in database.parent.iterdir()}
    assert names == {"planted.duckdb"}
    assert len(page.encode()) < 2_000_000
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert "default-src 'none'" in page


def test_the_headline_compares_with_the_book(page: str) -> None:
    text = words(page)
    assert "its mean squared error is 0.9000" in text
    assert "9.5 % above the best of the book, 0.8217" in text
    assert "fastai, EmbeddingDotBias" in text


def test_the_headline_rests_on_all_splits_and_not_on_a_lucky_one(tmp_path: Path) -> None:
    text = words(render(write_database(tmp_path / "x.duckdb", splits=3)))
    assert "Over 3 splits its mean squared error is 0.9500 ± 0.0100" in text
    assert "15.6 % above the best of the book, 0.8217" in text
    assert "its mean squared error is 0.9000" in text
    assert "on the first of them" in text
    assert "The first place is shared by dot_product_bias_wd and dot_product." in text
    assert "MSE over 3 splits, stars² 0.9500 ± 0.0100" in text
    own = "Measured on u1, u2 and u3 dot_product_bias_wd mean of 3 splits 0.9500 this publication"
    assert own in text  # beside published ones


def test_the_leaderboard_says_how_sure_each_place_is(page: str, tmp_path: Path) -> None:
    for text, second, spread in (
        (words(page), "+0.1000 –", "first –"),
        (
            words(render(write_database(tmp_path / "x.duckdb", splits=3))),
            "+0.0100 = –",
            "first 0.9500 ± 0.0100 (3)",
        ),
    ):
        board = text[text.index("Behind the first") :]
        assert f"dot_product_bias_wd champion 0.9000 {spread}" in board
        assert f"2 dot_product 1.0000 {second}" in board
    assert "1 left out als: it <diverged>" in text


def test_an_edition_without_published_numbers_has_no_comparison(tmp_path: Path) -> None:
    text = words(render(write_database(tmp_path / "x.duckdb", edition="ml-25m")))
    assert "MovieLens ml-25m" in text
    assert "the book" not in text.lower()
    assert "published numbers" not in text


def test_titles_are_text_wherever_they_stand(page: str) -> None:
    assert set(ODD_TITLES.values()) <= set(inlined(page, "movies")["titles"])
    assert all(f" {odd} " in words(page) for odd in ODD_TITLES.values())
    assert "<script>alert" not in page
    assert "<b>Bold" not in page
    assert "planted &lt;source&gt;" in page


def test_what_is_told_and_what_is_given_is_said(page: str) -> None:
    """300 rows at 5 % and 5 %, 100 at 75 % and 85 %: on average (0 + 10 / 4) points apart."""
    text = words(page)
    assert (
        "On average they are 2.5 points apart, and most for 5 stars: told 75 %, given 85 %." in text
    )
    assert "Closest of all is dot_product, 0.0 points." in text


def test_biases_over_time_are_drawn_where_there_are_two_days(page: str, tmp_path: Path) -> None:
    """Half a star less of the second most rated movie, whose title is odd."""
    assert f"{ODD_TITLES[2]} changed most: −0.50." in words(page)
    database = write_database(tmp_path / "x.duckdb")
    with duckdb.connect(database) as con:
        con.execute("DELETE FROM bias_history WHERE as_of < '2001-02-01'")
        assert bias_history.figure(con) == {}


def test_every_plot_has_a_place_and_a_caption(page: str) -> None:
    places = re.findall(r'data-plot="([^"]+)"', page)
    assert sorted(places) == sorted(inlined(page, "plots"))
    assert set(places) == {
        *("curve-1", "curve-2", "map", "bias_history", "calibration", "reliability"),
        *("movie_errors", "user_errors", "ratings"),
    }
    assert all(re.findall(r"<figcaption>([^<]*)</figcaption>", page))
    assert page.count("<figcaption>") == 8  # the learning curves share one


def test_captions_say_what_the_rows_say(page: str) -> None:
    text = words(page)
    assert "the mean distance from it is 0.500 stars" in text  # all are predicted so much too high
    assert "ended more than 1 % above its lowest for dot_product_bias_wd and dot_product." in text
    assert "The scale ends at 1.19, so that the curves can be told apart." in text
    assert "Epochs of 2 runs lie above it and are cut off; the highest is 30.00, of dot_" in text
    assert "1 of 2 passed" in text


def test_the_caption_of_the_map_names_its_ends() -> None:
    rows = [
        {"title": name, "genres": [], "n_ratings": 1, "pc1": x, "pc2": y}
        for name, x, y in (("A", -1, 0), ("B", 2, 3), ("C", 0, -5))
    ]
    said = captions.movie_map(rows)
    assert "Farthest left: A; right: B. Farthest bottom: C; top: B." in said


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("Silence of the Lambs, The (1991)", "Silence of the Lambs"),
        ("unknown", "unknown"),
        ("Willy Wonka and the Chocolate Factory (1971)", "Willy Wonka and the Cho…"),
    ],
)
def test_labels_are_short(full: str, short: str) -> None:
    assert label(full) == short


def test_the_book_has_a_number_for_each_variant_of_its_chapter() -> None:
    assert set(BOOK_MSE) <= set(RECIPES)
    assert min(BOOK_MSE, key=BOOK_MSE.__getitem__) == "embedding_dot_bias"


def test_what_is_recommended_is_said_beside_what_is_rated(page: str, database: Path) -> None:
    """The 20 most rated movies for everybody, of 80."""
    with duckdb.connect(database, read_only=True) as con:
        counts = [n for (n,) in con.execute("SELECT n_ratings FROM movie_bias").fetchall()]
    counts.sort(reverse=True)
    rated = sorted(n for n in counts for _ in range(n))
    assert (
        "name 20 of the 80 movies (25 %), half of them movies with "
        f"{round(median(counts[:20]))} ratings or more; "
        f"half of all ratings are of movies with {rated[len(rated) // 2]} or more." in words(page)
    )


def test_nothing_is_said_where_nothing_is_recommended(tmp_path: Path) -> None:
    database = write_database(tmp_path / "x.duckdb")
    with duckdb.connect(database) as con:
        con.execute("DELETE FROM recommendations")
    assert "recommendations for each user" not in words(render(database))


def test_terms_are_explained_where_they_first_appear(page: str) -> None:
    body = page[page.index("<main>") :]
    for term in ("factors", "bias", "champion"):
        assert f"<dfn>{term}</dfn>" in body
    assert words(body).index("factors , learnt") < words(body).index("champion ,")
    assert "dot_product" not in words(page)[: words(page).index("Similar movies")]
