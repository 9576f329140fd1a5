"""The report in a real browser: it draws, answers, and asks nobody for anything."""

from typing import Literal

import pytest

from tests.release.planted_database import ODD_TITLES
from tests.report.conftest import SIZES, Open

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import FloatRect, Locator, Page  # noqa: E402

HALO = 6  # pixels of a label's box above and below, or left and right, that are not letters
OPACITIES = "marks => marks.map((mark) => getComputedStyle(mark).opacity)"
BOXES = """marks => marks.filter((mark) => Number(getComputedStyle(mark).opacity) > 0)
    .map((mark) => mark.getBoundingClientRect().toJSON())"""
Size = Literal["width", "height"]


def overlap(a: FloatRect, b: FloatRect, start: Literal["x", "y"], size: Size) -> float:
    """How many pixels two boxes share in one direction; negative where there is a gap."""
    return min(a[start] + a[size], b[start] + b[size]) - max(a[start], b[start])


def visible_boxes(marks: Locator) -> list[FloatRect]:
    """The boxes of those marks that are shown."""
    found: list[FloatRect] = marks.evaluate_all(BOXES)
    return found


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_draws_everything_within_the_page(open_page: Open, size: str, scheme: str) -> None:
    page = open_page(size, scheme)
    width = SIZES[size][0]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    plots = page.locator("[data-plot]")
    assert plots.count() == 9
    for plot in plots.all():
        box = plot.locator("svg").bounding_box()
        assert box
        assert 100 < box["width"] <= width
    assert background(page) == ("rgb(18, 21, 26)" if scheme == "dark" else "rgb(255, 255, 255)")


@pytest.mark.parametrize("size", SIZES)
def test_the_leaderboard_fits_and_shows_how_sure_each_place_is(open_page: Open, size: str) -> None:
    page = open_page(size)
    board, table = page.locator("#leaderboard"), page.locator("#leaderboard table")
    outer, inner = board.bounding_box(), table.bounding_box()
    assert outer
    assert inner
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
    for name in ("Behind the first", "Over splits"):
        assert table.locator("th", has_text=name).is_visible()
    cells = table.locator("tbody tr").first.locator("td:visible").all_inner_texts()
    assert " ".join(cells[4].split()) == "0.9500 ± 0.0100 (3)"


def test_plots_follow_the_width_and_the_scheme(open_page: Open) -> None:
    page = open_page()
    plot = page.locator("[data-plot=ratings]")
    bar = plot.locator(".mark-rect path").first
    light = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.emulate_media(color_scheme="dark")
    assert bar.evaluate("bar => getComputedStyle(bar).fill") != light
    page.set_viewport_size({"width": 390, "height": 844})
    svg = plot.locator("svg")
    for _ in range(100):  # the page may not evaluate text, so it cannot be asked to wait
        if svg.evaluate("svg => svg.getBoundingClientRect().width") < 390:
            break
        page.wait_for_timeout(50)
    assert svg.evaluate("svg => svg.getBoundingClientRect().width") < 390


def test_paper_is_light(open_page: Open) -> None:
    page = open_page(scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert background(page) == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()


@pytest.mark.parametrize("size", SIZES)
def test_pointing_at_a_movie_tells_about_it(open_page: Open, size: str) -> None:
    page = open_page(size)
    page.locator("[data-plot=map] .layer_1_marks path").nth(1).hover(force=True)
    tip = page.locator("#vg-tooltip-element")
    tip.wait_for(state="visible")
    assert tip.locator("h2").inner_text() == ODD_TITLES[2]
    assert {"genres", "Sci-Fi, Drama", "ratings", "59", "bias", "+0.475"} <= {
        text.strip() for text in tip.locator("td").all_inner_texts()
    }
    box = tip.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= SIZES[size][0]


@pytest.mark.parametrize("size", SIZES)
def test_labels_keep_off_each_other_and_off_the_dots(open_page: Open, size: str) -> None:
    page = open_page(size)
    marks = page.locator("[data-plot=map] .labels text")
    labels = visible_boxes(marks)
    dots = visible_boxes(page.locator("[data-plot=map] [class*=_marks] path"))
    assert len(labels) >= 5
    assert len(dots) == 80
    covered = [
        (label, other)
        for at, label in enumerate(labels)
        for other in [*labels[at + 1 :], *dots]
        if overlap(label, other, "x", "width") > HALO
        and overlap(label, other, "y", "height") > HALO
    ]
    assert covered == []
    # pc1 is the id modulo 9, pc2 its ninth: the first movie of the last column and of the last row
    assert {"Movie 08", "Movie 80"} <= set(marks.all_text_contents()), "the ends have a name"


def test_negative_bars_grow_leftwards_from_the_zero_line(open_page: Open) -> None:
    page = open_page()
    for place, below in ((0, False), (1, True)):
        bar = page.locator("#bias table").nth(place).locator(".zeroed").first
        box, zero = bar.locator("i").bounding_box(), bar.locator("u").bounding_box()
        assert box
        assert zero
        assert box["width"] > 20
        assert (box["x"] < zero["x"] - 15) == below
        end = box["x"] + box["width"] if below else box["x"]
        assert end == pytest.approx(zero["x"], abs=1.5)


def test_both_panels_of_errors_have_one_scale(open_page: Open) -> None:
    page = open_page()
    ticks = [
        page.locator(f"[data-plot={name}_errors] .role-axis-label text").all_text_contents()
        for name in ("movie", "user")
    ]
    stars = [[text for text in texts if "." in text] for texts in ticks]
    assert stars[0] == stars[1] != []


def test_checks_that_passed_are_folded(open_page: Open) -> None:
    page = open_page()
    assert page.locator("#checks tr.warning").is_visible()
    assert not page.locator("#checks tr.passed").is_visible()
    page.locator("#checks summary").click()
    assert page.locator("#checks tr.passed").is_visible()


def test_a_genre_of_the_legend_dims_the_others(open_page: Open) -> None:
    page = open_page()
    key = page.locator("[data-genre=Comedy]")

    def dimmed() -> int:
        paths = page.locator("[data-plot=map] .layer_1_marks path")
        return sum(float(shown) < 0.5 for shown in paths.evaluate_all(OPACITIES))

    assert dimmed() == 0
    key.click()
    assert key.get_attribute("aria-pressed") == "true"
    assert dimmed() > 10
    key.click()
    assert dimmed() == 0


def test_search_finds_a_title_without_its_accents(open_page: Open) -> None:
    page = open_page()
    page.locator("#query").fill("ete AMELIE")
    assert page.locator("#matches li").all_inner_texts() == [ODD_TITLES[3]]
    page.keyboard.press("Enter")
    assert page.locator("#chosen").inner_text() == f"{ODD_TITLES[3]}, 59 ratings"
    rows = page.locator("#neighbors tr")
    assert rows.count() == 10
    assert rows.first.locator("td").all_inner_texts() == ["Movie 04, The (1990)", "0.95", "58"]


def test_search_by_pointer_and_arrows(open_page: Open) -> None:
    page = open_page()
    page.locator("#query").fill("movie 1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#chosen").inner_text().startswith("Movie 11, The (1990)")
    page.locator("#query").fill("script")
    page.locator("#matches li").first.click()
    assert page.locator("#chosen").inner_text().startswith(ODD_TITLES[1])
    page.locator("#query").fill("movei 17")
    assert page.locator("#matches li").first.inner_text() == "No such title. Did you mean"
    page.keyboard.press("Enter")
    assert page.locator("#chosen").inner_text().startswith("Movie 17, The (1990)")
    page.locator("#query").fill("nothing like it")
    assert page.locator("#matches").inner_text() == "No such title"
