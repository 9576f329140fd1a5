"""The picture of the report in the README: `python scripts/picture.py [--data-dir DIR]`

The published report of ml-100k as a browser draws it 1,280 pixels wide, to the end of the first
section.
"""

import shutil
import sys
from pathlib import Path

from collab.base.errors import CollabError
from collab.base.paths import data_dir as find_data_dir
from collab.cli.app import make_app, run
from collab.release.links import REPORT
from collab.report.reference import BOOK_EDITION

PICTURE = Path(__file__).parent.parent / "docs" / "report.png"
WIDTH, MARGIN = 1280, 32
LAST = "#similar"  # what is in the picture ends below it
BYTES = 200_000  # a README is read over the network
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
DRAWN = "html[data-drawn=true]"

app = make_app(
    "python scripts/picture.py",
    "Draw the picture of the report in the README.",
    "python scripts/picture.py --data-dir /srv/collab",
)


@app.default
def picture(*, data_dir: Path | None = None) -> None:
    """Draw the picture into docs/report.png.

    Args:
        data_dir: where ml-100k is published; by default COLLAB_DATA_DIR, else `data`.
    """
    report = find_data_dir(data_dir).serve / BOOK_EDITION / REPORT
    if not report.exists():
        raise CollabError(f"There is no {report}: publish {BOOK_EDITION} first.")
    drawn = draw(report, browser())
    if len(drawn) > BYTES:
        raise CollabError(f"The picture takes {len(drawn):,} bytes, more than {BYTES:,}.")
    PICTURE.write_bytes(drawn)


def browser() -> str:
    """The path of a browser.

    Raises:
        CollabError: there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise CollabError(f"No browser is installed: none of {', '.join(BROWSERS)} is on the path.")
    return found


def draw(report: Path, program: str) -> bytes:
    """The top of a report as PNG."""
    from playwright.sync_api import FloatRect, sync_playwright  # late: only this needs it

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=[*FLAGS])
        page = chromium.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_selector(DRAWN, timeout=30_000)
        box = page.locator(LAST).bounding_box()
        assert box
        height = box["y"] + box["height"] + MARGIN
        clip: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": height}
        drawn = page.screenshot(full_page=True, clip=clip)
        chromium.close()
    return drawn


if __name__ == "__main__":
    sys.exit(run(app))
