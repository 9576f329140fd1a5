"""The panel to try: what it expects is what SQL expects, and it can be used by keyboard."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.release.planted_database import ODD_TITLES, SQL, title
from tests.report.conftest import SIZES, Open

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Locator, Page  # noqa: E402

# items and stars, and what a page calls them: their places
RATED = [{8: 5}, {1: 1, 2: 5, 3: 3}, {movie: 1 + movie * 7 % 5 for movie in range(5, 75, 3)}]
ASK = """ratings => {
    const model = newcomer.decode(read("newcomer"));
    const place = (id) => movies.ids.indexOf(Number(id));
    const places = Object.entries(ratings).map(([id, stars]) => [place(id), stars]);
    return newcomer.recommend(model, places, 20).map(({ at, score, sd, pulls }) => {
        const most = pulls.reduce((a, b) => (b.pull > a.pull ? b : a));
        return [movies.ids[at], score, sd, most.pull > 0 ? movies.titles[most.at] : null];
    });
}"""
RECOMMENDED = """
    WITH rated AS (SELECT list({item_id: id, stars: stars}) AS r
                   FROM (SELECT unnest($ids) AS id, unnest($stars) AS stars))
    SELECT item_id, prediction, sd, because
    FROM best_of((SELECT p FROM person_of((SELECT r FROM rated)) AS p), $ids, 20,
                 NULL, NULL, NULL, 0)
    ORDER BY rank"""


@pytest.fixture(scope="module")
def asked(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The planted database with the macros that `collab recommend --rated` asks."""
    copy = tmp_path_factory.mktemp("macros") / "planted.duckdb"
    copy.write_bytes(planted.read_bytes())
    con = duckdb.connect(copy)
    tables = (SQL / "model.sql").read_text(encoding="utf-8")
    start = tables.index("CREATE TABLE cold_movies")
    con.execute(tables[start : tables.index("COMMENT ON", start)])
    script = (SQL / "newcomers.sql").read_text(encoding="utf-8")
    for name in ("matrix_times", "plus_scaled", "solve_all", "person_of", "cut_to", "expected_of",
                 "best_of"):  # fmt: skip
        start = script.index(f"CREATE MACRO {name}(")
        con.execute(script[start : script.index("COMMENT ON", start)])
    return con


def test_it_expects_what_sql_expects(open_page: Open, asked: duckdb.DuckDBPyConnection) -> None:
    page = open_page()
    # [[4, 2], [2, 5]] = L L' with L = [[2], [1, 2]]; x = (1, -1) gives (2, -3)
    triangle = page.evaluate("newcomer.cholesky([[4, 2], [2, 5]]).map((row) => [...row])")
    assert triangle == [[2], [1, 2]]
    solved = page.evaluate("[...newcomer.solve([[2], [1, 2]], [2, -3])]")
    assert solved == pytest.approx([1, -1])
    for rated in RATED:
        found: list[list[Any]] = page.evaluate(ASK, {str(item): n for item, n in rated.items()})
        expected = asked.execute(
            RECOMMENDED, {"ids": list(rated), "stars": list(rated.values())}
        ).fetchall()
        assert [row[0] for row in found] == [row[0] for row in expected]
        assert [row[3] for row in found] == [row[3] for row in expected]
        for (_, score, sd, _), (_, prediction, its_sd, _) in zip(found, expected, strict=True):
            assert min(max(score, 1), 5) == pytest.approx(prediction, abs=1e-3)
            assert sd == pytest.approx(its_sd, abs=1e-3)


def outcome(page: Page) -> str:
    return page.locator("#outcome").inner_text()


def test_movies_are_rated_by_keyboard_and_taken_back(open_page: Open) -> None:
    page = open_page()
    before = page.locator("#expected").inner_text()
    assert outcome(page) == "Before any rating, anyone might like"
    cards = page.locator("#cards fieldset")
    assert cards.first.locator("legend").inner_text() == ODD_TITLES[1], "the first starter"
    page.locator("#wanted").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert cards.first.get_by_role("radio", name="2 stars").is_checked()
    assert outcome(page) == "After 1 rating, you might like"
    assert page.locator("#expected").inner_text() != before
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert outcome(page) == "Before any rating, anyone might like"
    assert page.locator("#expected").inner_text() == before
    assert not cards.first.locator("input:checked").count()


def rate(card: Locator, stars: int) -> None:
    """Click a number of stars, once the card stands still."""
    card.locator(f"label:has(input[value='{stars}'])").click()
    assert card.locator("input:checked").input_value() == str(stars)


def test_a_movie_is_found_and_why_is_told(open_page: Open) -> None:
    page = open_page()
    page.locator("#wanted").fill("movie 42")
    page.keyboard.press("Enter")
    card = page.locator("#cards fieldset").first
    assert card.locator("legend").inner_text() == title(42)
    rate(card, 5)
    rows = page.locator("#expected tr")
    assert rows.count() == 10
    assert "for anyone " in rows.first.inner_text()
    assert "Movie 42, The +" in page.locator("#expected").inner_text()
    page.locator("#wanted").fill("nothing of the kind")
    assert "No such title" in page.locator("#candidates").inner_text()
    page.locator("#wanted").fill("movie 43")
    page.locator("#candidates button").first.click()
    assert card.locator("legend").inner_text() == title(43)
    assert not page.locator("#candidates").is_visible()


def test_the_rated_stay_when_others_are_asked_for_and_go_when_it_starts_again(
    open_page: Open,
) -> None:
    page = open_page()
    names = page.locator("#cards legend")
    first = names.all_inner_texts()
    rate(page.locator("#cards fieldset").nth(2), 3)
    page.get_by_role("button", name="Other movies").click()
    second = names.all_inner_texts()
    assert second[0] == first[2]
    assert set(first) & set(second) == {first[2]}
    page.get_by_role("button", name="Start again").click()
    assert names.all_inner_texts() == first
    assert outcome(page) == "Before any rating, anyone might like"


@pytest.mark.parametrize("size", SIZES)
def test_the_panel_fits_and_stays_off_paper(open_page: Open, size: str) -> None:
    page = open_page(size, "dark")
    for place in ("#cards", "#expected"):
        box = page.locator(place).bounding_box()
        assert box
        assert box["x"] + box["width"] <= SIZES[size][0]
    page.emulate_media(media="print")
    assert not page.locator("#try").is_visible()
