"""What a search found, as files: `recipes.md`, `recipes.diff`, `trials.csv`.

They stand in a folder of their own below `data/search`, and are written anew by every start.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from collab.base.files import write_atomically
from collab.dataset.dataset import Dataset
from collab.estimators.api import Recipe
from collab.search.confirm import Found
from collab.search.edit import diff_of

TABLE, DIFF, TRIALS = "recipes.md", "recipes.diff", "trials.csv"
HEAD = ("variant", "trials", "present MSE", "best MSE", "on another split", "verdict")
STAYS = "no better"


def write_found(folder: Path, found: Sequence[Found]) -> list[Recipe]:
    """Write the files of a search; returns the recipes that are proposed.

    There is no `recipes.diff` where every present recipe stays.

    Raises:
        CollabError: `recipes.py` is in no form that can be changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    proposed = proposals(found)
    write_atomically(folder / TABLE, "\n".join(markdown(found)) + "\n")
    write_atomically(folder / TRIALS, as_csv([row for each in found for row in trial_rows(each)]))
    (folder / DIFF).unlink(missing_ok=True)
    if proposed:
        write_atomically(folder / DIFF, diff_of(proposed))
    return proposed


def proposals(found: Sequence[Found]) -> list[Recipe]:
    """The recipes that are surely better, each with what it was chosen on."""
    return [
        replace(each.proposed, chosen_on=chosen_on(each.search.place.inner))
        for each in found
        if each.proposed
    ]


def chosen_on(inner: Dataset) -> str:
    """What a recipe was chosen on: the training rows of the outer split."""
    outer = inner.protocol.cuts()[0]
    return f"training rows of {inner.edition}, {outer.folder} (flows.search)"


def markdown(found: Sequence[Found]) -> Iterator[str]:
    """The comparison as a table, then the settings of each best trial."""
    yield f"| {' | '.join(HEAD)} |"
    yield "|---|--:|--:|--:|--:|---|"
    for each in found:
        yield f"| {' | '.join(cells(each))} |"
    for each in found:
        if each.proposed:
            yield f"\n`{each.proposed.name}`: {settings(each.best.trial.values)}"


def cells(found: Found) -> tuple[str, ...]:
    """A row of the table: errors on the first inner split are means over three seeds."""
    search, difference = found.search, found.difference
    told = "" if difference is None else (
        f"{difference.value:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
    )  # fmt: skip
    return (
        search.present.name,
        str(len(search.tried)),
        f"{found.means[0]:.4f}",
        f"{found.means[found.best.trial.number]:.4f}",
        told,
        f"trial {found.best.trial.number} is better" if found.proposed else STAYS,
    )


def settings(values: dict[str, Any]) -> str:
    """Values in a line."""
    return ", ".join(f"{name.split('.')[-1]} {value:g}" for name, value in values.items())


def trial_rows(found: Found) -> Iterator[dict[str, Any]]:
    """Every trial of a variant."""
    for each in found.search.tried:
        yield {
            "variant": found.search.present.name,
            "trial": each.trial.number,
            "mse": each.mse,
            "mean_of_seeds": found.means.get(each.trial.number, ""),
            "passes": len(each.errors),
            "of": each.trial.passes,
            "estimated_seconds": round(each.seconds, 3),
            "settings": settings(each.trial.values),
            "run_id": each.trial.spec.run_id,
            "reason": each.reason or "",
        }


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows, of which there is one at least, as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
