"""The report: one HTML file that opens offline and shows what was published.

page        gathers the sections and renders them
queries     what is read from the published tables, aggregated in SQL
charts      the plots, in Altair
captions    what to see in each, computed from the same rows
similar     the movies of the search box as compact JSON
reference   the book's and published numbers
assets/     the page's HTML, CSS and JavaScript
"""

from pathlib import Path


def write_report(database: Path, target: Path) -> None:
    """Write the report of a finished snapshot.

    Args:
        database: the published DuckDB file; opened read-only.
        target: the HTML file to write.
    """
    from collab.report.page import render  # late: Altair takes a third of a second

    target.write_text(render(database), encoding="utf-8")
