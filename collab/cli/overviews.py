"""The state of things: `status`, `leaderboard`, `history`, `report`."""

import webbrowser

from collab.base.errors import CollabError, unknown_name
from collab.cli.app import shown
from collab.cli.place import Here, app
from collab.cli.show import print_table, say
from collab.status import print_status


@app.command(help_epilogue=shown("collab status"))
def status(*, place: Here) -> None:
    """Show what is published, what runs and what failed last; needs no server."""
    print_status(place.data, place.edition)


@app.command(help_epilogue=shown("collab leaderboard"))
def leaderboard(*, place: Here) -> None:
    """Show the current runs, best first, and what is not among them and why."""
    ((edition, at, beyond),) = place.ask("SELECT edition, published_at, left_out FROM publish_info")
    rows = place.ask(
        "SELECT place, variant || if(is_champion, ' *', '') || if(uses_time, ' (time)', ''), "
        "valid_mse, behind, if(differs, '', '='), valid_rmse, valid_mae, train_seconds, device "
        "FROM leaderboard"
    )
    errors = {"RMSE": ".4f", "MAE": ".4f", "train s": ".1f"}
    first = {"place": "d", "variant": "", "valid MSE": ".4f", "behind": "+.4f", "": ""}
    columns = {**first, **errors, "device": ""}
    print_table(f"{edition}, published {at:%Y-%m-%d %H:%M} UTC", columns, rows)
    say("* supplies bias, similarity and PCA   = does not differ from the first")
    for reason in beyond:
        say(f"Left out: {reason}")


@app.command(help_epilogue=shown("collab history --variant dot_product_bias_wd"))
def history(*, variant: str | None = None, place: Here) -> None:
    """Show every run ever committed, oldest first.

    Args:
        variant: Only runs of this one.
    """
    rows = place.ask(
        "SELECT strftime(started_at, '%Y-%m-%d %H:%M'), variant, seed, epochs, valid_mse, "
        "run_id, if(is_current, 'current', '') FROM runs "
        "WHERE $variant IS NULL OR variant = $variant ORDER BY started_at, run_id",
        variant=variant,
    )
    if not rows:
        known = place.ask("SELECT DISTINCT variant FROM runs ORDER BY 1")
        raise unknown_name("variant", variant or "", [name for (name,) in known])
    numbers = {"seed": "d", "epochs": "d", "valid MSE": ".4f"}
    print_table("Runs", {"started (UTC)": "", "variant": "", **numbers, "run": "", "": ""}, rows)


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
