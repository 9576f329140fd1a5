"""The report in a real browser: it draws, answers, and asks nobody for anything."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from collab.report.page import render
from tests.release.planted_database import ODD_TITLES, write_database

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, FloatRect, Page  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
DRAWN = "html[data-drawn=true]"
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
HALO = 6  # pixels of a label's box above and below, or left and right, that are not letters
Open = Callable[..., Page]
Size = Literal["width", "height"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)} is on the path")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    page = folder / "report.html"
    page.write_text(render(write_database(folder / "planted.duckdb", splits=3)), encoding="utf-8")
    return page


@pytest.fixture
def complaints() -> list[str]:
    """What the page does that it must not do: errors, requests, dialogs."""
    return []


@pytest.fixture
def open_page(browser: Browser, report: Path, complaints: list[str]) -> Iterator[Open]:
    """Opens the report at a size and in a color scheme, once it is drawn; notes what it does."""
    contexts = []

    def open_at(size: str = "desk", scheme: str = "light") -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: complaints.append(f"request: {request.url[:80]}"))
        page.goto(report.as_uri())
        page.wait_for_selector(DRAWN, timeout=30_000)
        return page

    yield open_at
    for context in contexts:
        context.close()
    allowed = (f"request: {report.as_uri()}"[:89], "request: data:")
    assert [said for said in complaints if not said.startswith(allowed)] == []


def overlap(a: FloatRect, b: FloatRect, start: Literal["x", "y"], size: Size) -> float:
    """How many pixels two boxes share in one direction; negative where there is a gap."""
    return min(a[start] + a[size], b[start] + b[size]) - max(a[start], b[start])


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
def test_labels_do_not_collide(open_page: Open, size: str) -> None:
    page = open_page(size)
    boxes = [
        box
        for text in page.locator("[data-plot=map] .labels text").all()
        if text.evaluate("text => Number(getComputedStyle(text).opacity)") > 0
        if (box := text.bounding_box())
    ]
    assert len(boxes) >= 5
    overlaps = [
        (a, b)
        for at, a in enumerate(boxes)
        for b in boxes[at + 1 :]
        if overlap(a, b, "x", "width") > HALO and overlap(a, b, "y", "height") > HALO
    ]
    assert overlaps == []


def test_a_genre_of_the_legend_dims_the_others(open_page: Open) -> None:
    page = open_page()
    key = page.locator("[data-genre=Comedy]")

    def dimmed() -> int:
        paths = page.locator("[data-plot=map] .layer_1_marks path").all()
        return sum(path.evaluate("p => Number(getComputedStyle(p).opacity) < .5") for path in paths)

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
