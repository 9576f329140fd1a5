"""A real browser, and the planted report in it, which must not do what it must not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collab.base.errors import CollabError
from collab.report.page import render
from scripts.picture import DRAWN, FLAGS
from scripts.picture import browser as program_of_browser
from tests.release.planted_database import write_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """The first browser on the path; tests without one are skipped and say so.

    Not for longer than a file: while it is there an event loop runs, in which Prefect is another.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    try:
        program = program_of_browser()
    except CollabError as error:
        pytest.skip(str(error))
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted database."""
    folder = tmp_path_factory.mktemp("report")
    return write_database(folder / "planted.duckdb", splits=3)


@pytest.fixture(scope="session")
def report(planted: Path) -> Path:
    """Its report, beside it."""
    page = planted.with_name("report.html")
    page.write_text(render(planted), encoding="utf-8")
    return page


@pytest.fixture
def open_page(browser: "Browser", report: Path) -> Iterator[Open]:
    """Opens the report at a size and in a color scheme, once it is drawn; notes what it does."""
    contexts = []
    complaints: list[str] = []  # errors, requests, dialogs

    def open_at(size: str = "desk", scheme: str = "light") -> "Page":
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
