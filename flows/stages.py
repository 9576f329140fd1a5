"""The stages that the flows are made of, each written once."""

import logging
from dataclasses import dataclass
from datetime import datetime

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.protocols import Protocol
from collab.evaluation.standings import Evaluation, evaluate, finalists
from collab.lake import Manifest
from collab.movielens.editions import ItemKey
from collab.movielens.sources import Source
from collab.release.publish import Release
from collab.release.snapshot import Snapshot
from collab.runs.devices import find_slots
from collab.runs.record import Run
from flows.plan import Plan
from tasks.artifacts import show_checks, show_publication, show_training
from tasks.dataset import prepare_dataset
from tasks.ingest import fetch_archive, ingest_archive
from tasks.publish import publish_tables, write_report
from tasks.retention import collect_garbage
from tasks.train import Trained, train_all, train_one

log = logging.getLogger("collab.flows")


@dataclass(frozen=True, kw_only=True)
class TakenIn:
    """The archive and its ratings, and whether these were parsed now."""

    source: Source
    lake: Manifest
    ingested: bool


@dataclass(frozen=True, kw_only=True)
class Published:
    """The snapshot, whether it was made now, what it was chosen from, and what went wrong.

    report_error: why there is no report of it; None: there is one.
    """

    snapshot: Snapshot
    made: bool
    evaluation: Evaluation
    refit: Run
    refitted: bool
    report_error: str | None


def take_in(
    edition: str,
    data: DataDir,
    archive: str | None,
    item_key: ItemKey | None,
    trust_archive: bool,
    force: bool,
) -> TakenIn:
    """Archive to Parquet."""
    source = fetch_archive(edition, data, archive, trust_archive, force)
    lake, ingested = ingest_archive(source, data, item_key, force)
    show_checks(lake)
    return TakenIn(source=source, lake=lake, ingested=ingested)


def train(lake: Manifest, data: DataDir, wanted: Plan, force: bool) -> Trained:
    """Parquet to runs: every variant on the first split, the best also on the further ones.

    Raises:
        CollabError: no variant could be trained on the first.
    """

    def on(protocol: Protocol, recipes: list[Run] | None) -> Trained:
        dataset = prepare_dataset(lake, protocol, data, wanted.as_of, force)
        chosen = wanted.recipes if recipes is None else [run.recipe for run in recipes]
        return train_all(chosen, dataset, data, seed=wanted.seed, device=wanted.device, force=force)

    first, *further = wanted.protocols
    trained = on(first, None)
    if not trained.runs:
        reasons = "".join(f"\n  - {reason}" for reason in trained.left_out)
        raise CollabError(f"No variant could be trained:{reasons}")
    show_training(lake, trained.runs)
    best = finalists(trained.runs)
    if skipped := beyond_budget(best, further, wanted):
        return trained + Trained(runs=[], left_out=(skipped,))
    return sum((on(protocol, best) for protocol in further), trained)


def beyond_budget(best: list[Run], further: list[Protocol], wanted: Plan) -> str | None:
    """Why the further splits are left out; None: they fit."""
    seconds = len(further) * sum(run.record.seconds for run in best)
    minutes = seconds / len(find_slots(wanted.device)) / 60
    if minutes <= wanted.minutes:
        return None
    names = ", ".join(protocol.label for protocol in further)
    reason = (
        f"further splits ({names}): about {minutes:.0f} minutes, {wanted.minutes:g} are allowed; "
        "raise --minutes"
    )
    log.warning("Left out: %s", reason)
    return reason


def publish(
    lake: Manifest,
    trained: Trained,
    data: DataDir,
    *,
    device: str,
    force: bool,
    max_regression: float | None,
) -> Published:
    """Runs to tables: choose the champion recipe, refit it on all ratings, publish, report."""
    evaluation = evaluate(trained.runs)
    champion = evaluation.champion.run
    day = champion.record.as_of
    as_of = datetime.fromisoformat(day) if day else None
    dataset = prepare_dataset(lake, Protocol(name="all"), data, as_of, force)
    seed = champion.record.seed
    refit, refitted = train_one(
        champion.recipe, dataset, data, seed=seed, device=device, force=force
    )
    release = Release(lake=lake, evaluation=evaluation, refit=refit, left_out=trained.left_out)
    snapshot, made = publish_tables(release, data, force, max_regression)
    report_error = write_report(snapshot, data)
    show_publication(snapshot, report_error)
    return Published(
        snapshot=snapshot,
        made=made,
        evaluation=evaluation,
        refit=refit,
        refitted=refitted,
        report_error=report_error,
    )


def make_room(data: DataDir, days: float | None) -> None:
    """Remove what nothing published refers to and is older than so many days; None: nothing."""
    if days is not None:
        collect_garbage(data, days)
