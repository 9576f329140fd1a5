"""Biases as of earlier days: which runs a publication takes, and what it says of them."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import collab
from collab.dataset.protocols import Protocol
from collab.release.bias_history import runs_as_of
from collab.release.retention import removable
from collab.runs.record import Run
from tests.release.planted import FIRST_TS, Published, ask, rated

TEMPORAL = Protocol(name="temporal")
DAYS = {user: datetime.fromtimestamp(FIRST_TS + user * 100 + 99, UTC) for user in (20, 30)}


def train(mine: Published, last_user: int, variant: str = "dot_product_bias_wd") -> str:
    """A run as of when a user, the last, had rated; returns its id."""
    return mine.train(variant, protocol=TEMPORAL, as_of=DAYS[last_user]).run_id


def n_seen(movie: int, last_user: int) -> int:
    """How many of a movie's ratings train: each user rates after the one before, by movie."""
    rows = [(u, m) for u in range(1, last_user + 1) for m in range(1, 31) if rated(u, m)]
    kept = rows[: len(rows) - int(0.2 * len(rows))]
    return sum(m == movie for _, m in kept)


def test_a_publication_takes_the_runs_of_its_champion_recipe(mine: Published) -> None:
    runs = [train(mine, 20), train(mine, 30)]
    train(mine, 30, "embedding_nn")  # not the champion
    mine.train("dot_product_bias_wd", as_of=DAYS[30])  # another protocol
    snapshot, made = mine.publish()
    assert made
    assert set(runs) <= set(snapshot.record.runs)
    long_ago = time.time() - 40 * 86400
    for folder in (*mine.data.runs.glob("[!.]*"), *mine.data.datasets.glob("[!.]*")):
        os.utime(folder, (long_ago, long_ago))
    gone = {item.folder.name for item in removable(mine.data, 30)}
    assert not gone & {*runs, *snapshot.record.datasets}, "what it rests on is kept"
    with collab.connect(mine.data.root) as con:
        days = [DAYS[user].replace(tzinfo=None) for user in (20, 30)]
        assert ask(con, "SELECT DISTINCT as_of FROM bias_history ORDER BY 1") == [
            (day,) for day in days
        ]
        seen = "SELECT n_ratings FROM bias_history WHERE item_id = 2 ORDER BY as_of"
        assert ask(con, seen) == [(n_seen(2, 20),), (n_seen(2, 30),)]
        of_run = f"SELECT DISTINCT as_of FROM metric_history WHERE run_id = '{runs[0]}'"
        assert ask(con, of_run) == [(days[0],)]
        loved = "SELECT max(bias) = max(bias) FILTER (item_id = 8) FROM bias_history GROUP BY as_of"
        assert ask(con, loved) == [(True,), (True,)]  # four stars from all, whatever their taste


def test_without_a_backfill_there_is_none(published: Published) -> None:
    with collab.connect(published.data.root) as con:
        assert ask(con, "SELECT count(*) FROM bias_history") == [(0,)]


def test_only_what_belongs_is_taken(mine: Published) -> None:
    """Of one day the newest; none that is later, of other settings, or of other rows."""
    champion = mine.runs[0]
    run = mine.train("dot_product_bias_wd", protocol=TEMPORAL, as_of=DAYS[20])
    assert runs_as_of([run], champion, None) == [run]
    assert runs_as_of([run], champion, DAYS[20].isoformat()) == [run]
    assert runs_as_of([run], champion, (DAYS[20] - timedelta(seconds=1)).isoformat()) == []
    newer = changed(run, started_at="2099-01-01T00:00:00+00:00")
    assert runs_as_of([run, newer], champion, None) == [newer]
    settings = {**run.record.recipe["estimator"], "epochs": 2}
    others: list[dict[str, Any]] = [
        {"data_fingerprint": "0" * 64},
        {"as_of": None},
        {"protocol": Protocol()},
        {"protocol": replace(TEMPORAL, inner=1)},
        {"recipe": {**run.record.recipe, "estimator": settings}},
        {"recipe": {**run.record.recipe, "estimator": {"estimator": "of another version"}}},
    ]
    for other in others:
        assert runs_as_of([changed(run, **other)], champion, None) == []
    (run.folder / "run.json").write_text("damaged")
    assert runs_as_of([run], champion, None) == []


def changed(run: Run, **record: Any) -> Run:
    """A run that says something else of itself."""
    return replace(run, record=replace(run.record, **record))
