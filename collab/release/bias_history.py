"""Biases as of earlier days: what the champion recipe learnt from the ratings up to each.

They come from runs that a backfill made: of the champion recipe, by the temporal protocol, each as
of a day. A publication takes those that are there.
"""

from datetime import datetime

import duckdb
import pandas as pd

from collab.base.database import insert
from collab.base.files import is_whole
from collab.estimators.api import Recipe
from collab.release.interpret import load_model
from collab.runs.record import Run


def runs_as_of(history: list[Run], champion: Run, until: str | None) -> list[Run]:
    """The newest run as of each day that belongs to a publication, by day.

    Args:
        history: every run of the edition, oldest first.
        champion: of the same recipe and the same ratings.
        until: of none as of a later moment, ISO 8601; None: of all.
    """
    last = datetime.fromisoformat(until) if until else None
    found = {
        day: run
        for run in history
        if run.record.as_of and belongs(run, champion)
        for day in [datetime.fromisoformat(run.record.as_of)]
        if last is None or day <= last
    }
    return [found[day] for day in sorted(found) if is_whole(found[day].folder)]


def belongs(run: Run, champion: Run) -> bool:
    """Whether a run is the champion recipe's on the same ratings, by the temporal protocol."""
    protocol = run.record.protocol
    return (
        protocol.name == "temporal"
        and not protocol.inner
        and run.record.data_fingerprint == champion.record.data_fingerprint
        and recipe_of(run) == recipe_of(champion) is not None
    )


def recipe_of(run: Run) -> Recipe | None:
    """The recipe of a run; None where its estimator is not known now."""
    try:
        return run.recipe
    except ValueError:
        return None


def insert_bias_history(con: duckdb.DuckDBPyConnection, runs: list[Run]) -> None:
    """Fill `bias_history` from runs as of a day, one model at a time."""
    for run in runs:
        insert(con, "bias_history", biases(run))


def biases(run: Run) -> pd.DataFrame:
    """Of a run as of a day: `as_of, item_id, bias, n_ratings`, items by id.

    n_ratings: of the item, among those that the run learnt from.
    """
    assert run.record.as_of
    model = load_model(run)
    assert model.train.by_item
    counts = model.train.by_item.counts.numpy()[1:]  # the first is the unknown's
    table = {"item_id": model.items.ids, "bias": model.items.bias, "n_ratings": counts}
    moment = datetime.fromisoformat(run.record.as_of).replace(tzinfo=None)
    return pd.DataFrame({"as_of": moment, **table}).sort_values("item_id", ignore_index=True)
