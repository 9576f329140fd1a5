"""The report: one HTML file that opens offline and shows what was published.

page        renders; `sections` gathers what is shown
queries     what is read from the published tables, aggregated in SQL
charts      the plots, in Altair; `movie_map`, `curves`, `bias_history`
captions    what to see in each, computed from the same rows; `headline` the words above them
strips      where dots and bars stand in the tables; `bins` of training ratings
similar     the movies of the search box as compact JSON; `newcomer` what predicts for someone new
reference   the book's and published numbers
assets/     the page's HTML, CSS and JavaScript
"""

from collab.base.files import write_atomically
from collab.base.fingerprint import code_digest
from collab.release.links import REPORT, show_report
from collab.release.snapshot import Snapshot, current_snapshot

GENERATOR = '<meta name="generator" content="collab {}">'


def publish_report(snapshot: Snapshot) -> bool:
    """Write the report of a finished snapshot into its folder, and lead readers to it.

    Returns:
        Whether it was written now; it is not where it stands there, made by the same code.
    """
    target, serve = snapshot.folder / REPORT, snapshot.folder.parent.parent
    mark = GENERATOR.format(code_digest("report")[:12])
    made = not (target.exists() and mark in target.read_text(encoding="utf-8")[:2000])
    if made:
        from collab.report.page import render  # late: Altair takes a third of a second

        write_atomically(target, render(snapshot.database, mark))
    current = current_snapshot(serve)
    if current and current.seq == snapshot.seq:
        show_report(serve, snapshot.folder)
    return made
