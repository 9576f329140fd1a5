"""The state of things: `status`, `leaderboard`, `history`, `report`."""

import sys
import webbrowser
from datetime import timedelta

from collab.base.errors import CollabError, unknown_name
from collab.cli.app import shown
from collab.cli.formats import as_json
from collab.cli.output import TERMINAL, Column, Out
from collab.cli.place import Here, app
from collab.cli.show import say
from collab.cli.streams import write
from collab.cli.values import MINUTE, cell
from collab.status import Status, gather_status, stale, status_lines, status_record

STALE, UNPUBLISHED = 1, 2  # exit codes

STANDINGS = """
    SELECT *, variant || if(is_champion, ' *', '') || if(uses_time, ' (time)', '') AS _named,
           if(differs, '', '=') AS _shared
    FROM leaderboard"""
STANDING = (
    Column("place", "d"),
    Column("_named", head="variant"),
    Column("valid_mse", ".4f", "valid MSE"),
    Column("behind", "+.4f"),
    Column("_shared", head="="),
    Column("valid_rmse", ".4f", "RMSE"),
    Column("valid_mae", ".4f", "MAE"),
    Column("train_seconds", ".1f", "train s"),
    Column("ndcg_10", ".3f", "nDCG@10"),
    Column("device"),
)
HISTORY = """
    SELECT started_at, variant, seed, epochs, valid_mse, run_id, is_current,
           if(is_current, 'current', '') AS _state
    FROM runs WHERE $variant IS NULL OR variant = $variant ORDER BY started_at, run_id"""
RUN = (
    Column("started_at", MINUTE, "started"),
    Column("run_id", head="run"),  # begins with edition and variant
    Column("valid_mse", ".4f", "valid MSE"),
    Column("_state", head="state"),
    Column("seed", "d"),
    Column("epochs", "d"),
)


@app.command(help_epilogue=shown("collab status", "collab status --json --max-age 30h"))
def status(*, json: bool = False, max_age: timedelta | None = None, place: Here) -> int:
    """Show what is published, what runs and what failed last; needs no server.

    Args:
        json: As JSON, for another program.
        max_age: Such as 30h or 8d: end with 1 where an edition was neither made nor confirmed for
            so long, with 2 where none is published.
    """
    try:
        found = gather_status(place.data, place.edition)
    except CollabError as error:  # the edition named is not published
        if max_age is None:
            raise
        return complain(UNPUBLISHED, str(error))
    if json:
        write(as_json(status_record(found), indent=2) + "\n")
    else:
        for line in status_lines(found):
            say(line)
    return 0 if max_age is None else judge(found, max_age)


def judge(found: Status, limit: timedelta) -> int:
    """The exit code of a status that may be so old; what is wrong goes to standard error."""
    if not found.published and not found.unknown:
        return complain(UNPUBLISHED, "nothing is published")
    old = stale(found, limit)
    return complain(STALE, "; ".join(old)) if old else 0


def complain(code: int, text: str) -> int:
    """Say what is wrong; returns the exit code."""
    sys.stderr.write(f"error: {text}\n")
    return code


@app.command(help_epilogue=shown("collab leaderboard", "collab leaderboard --csv > runs.csv"))
def leaderboard(*, out: Out = TERMINAL, place: Here) -> None:
    """Show the current runs, best first, and what is not among them and why."""
    ((edition, at, beyond),) = place.ask("SELECT edition, published_at, left_out FROM publish_info")
    out.rows(place.rows(STANDINGS), f"{edition}, published {cell(at, MINUTE)}", STANDING)
    out.say("* supplies bias, similarity and PCA   = does not differ from the first")
    for reason in beyond:
        out.say(f"Left out: {reason}")


@app.command(help_epilogue=shown("collab history", "collab history --variant als --json"))
def history(*, variant: str | None = None, out: Out = TERMINAL, place: Here) -> None:
    """Show every run ever committed, oldest first.

    Args:
        variant: Only runs of this one.
    """
    rows = place.rows(HISTORY, variant=variant)
    if not rows.values:
        known = place.ask("SELECT DISTINCT variant FROM runs ORDER BY 1")
        raise unknown_name("variant", variant or "", [name for (name,) in known])
    out.rows(rows, "Runs", RUN)


@app.command(help_epilogue=shown("collab report --open"))
def report(*, open: bool = False, place: Here) -> None:
    """Say where the report is, or open it.

    Args:
        open: Open it in the browser.
    """
    path = place.folder / "report.html"
    if not path.exists():
        raise CollabError(f"There is no report at {path}. Make it with `python -m flows.pipeline`.")
    say(str(path))
    if open:
        webbrowser.open(path.as_uri())
