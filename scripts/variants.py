"""The table of the variants in docs/models.md: `python scripts/variants.py [--data-dir DIR]`

Names, models and weight decay come from the recipes, the errors from the published leaderboard; so
a new variant is one recipe, and this command.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

import duckdb

from collab.base.errors import CollabError
from collab.cli.app import make_app, run
from collab.client import connect
from collab.estimators.api import Recipe
from collab.estimators.recipes import RECIPES
from collab.estimators.sgd.settings import Settings
from collab.report.reference import BOOK_EDITION, BOOK_MSE

PAGE = Path(__file__).parent.parent / "docs" / "models.md"
START, END = "<!-- scripts/variants.py writes from here -->", "<!-- to here -->"
HEAD = (
    "| variant | model | weight decay | valid MSE | mean ± sd | in the book |",
    "|---|---|--:|--:|--:|--:|",
)
ERRORS = "SELECT variant, valid_mse, mean_mse, sd_mse FROM leaderboard"
MEASURED_ON = """
    SELECT ratings, split_name, runs.seed, n_splits, strftime(published_at, '%-d %B %Y')
    FROM publish_info
    JOIN runs ON runs.run_id = champion_run_id
    JOIN standings ON standings.run_id = champion_run_id,
    (SELECT count(*) AS ratings FROM ratings)"""

Errors = Mapping[str, tuple[float, float, float | None]]  # valid MSE, mean and sd over splits

app = make_app(
    "python scripts/variants.py",
    "Write the table of the variants in docs/models.md from what is published.",
    "python scripts/variants.py --data-dir /srv/collab",
)


@app.default
def variants(*, data_dir: Path | None = None) -> None:
    """Write the table.

    Args:
        data_dir: where ml-100k is published; by default COLLAB_DATA_DIR, else `data`.
    """
    with connect(data_dir, BOOK_EDITION) as con:
        block = [*table(errors(con)), "", measured_on(con)]
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), block), encoding="utf-8")


def errors(con: duckdb.DuckDBPyConnection) -> Errors:
    """The errors of each variant of the leaderboard."""
    return {variant: (mse, mean, sd) for variant, mse, mean, sd in con.execute(ERRORS).fetchall()}


def measured_on(con: duckdb.DuckDBPyConnection) -> str:
    """What the errors were measured on, in a sentence."""
    ((ratings, split, seed, splits, day),) = con.execute(MEASURED_ON).fetchall()
    told = (
        f"{BOOK_EDITION}, {ratings:,} ratings, seed {seed}, {day}. Valid MSE: {split}; mean and "
        f"standard deviation: of those that ran on {splits} splits. The book's figures are on a "
        "split of its own."
    )
    return fill(told, 100)


def table(measured: Errors) -> list[str]:
    """One row for each variant there is, in the order of the recipes."""
    return [*HEAD, *(row(recipe, measured) for recipe in RECIPES.values())]


def row(recipe: Recipe, measured: Errors) -> str:
    """One row; what is not known stays empty."""
    mse, mean, sd = measured.get(recipe.name, (None, None, None))
    cells = (
        f"`{recipe.name}`",
        recipe.about,
        f"{recipe.estimator.wd:g}" if isinstance(recipe.estimator, Settings) else "",
        "" if mse is None else f"{mse:.4f}",
        "" if sd is None else f"{mean:.4f} ± {sd:.4f}",
        f"{BOOK_MSE[recipe.name]:.4f}" if recipe.name in BOOK_MSE else "",
    )
    return f"| {' | '.join(cells)} |".replace("  |", " |")


def replaced(text: str, block: list[str]) -> str:
    """A text with the lines between the two marks replaced.

    Raises:
        CollabError: it lacks a mark.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise CollabError(f"docs/models.md lacks the line {START!r}, or {END!r} after it.")
    return "\n".join([before + START, *block, END + after])


if __name__ == "__main__":
    sys.exit(run(app))
