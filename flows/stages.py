"""The stages that the flows are made of, each written once."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe, for_release
from collab.estimators.cost import Size
from collab.estimators.recipes import BASELINE, RECIPES
from collab.evaluation.standings import Evaluation, evaluate, finalists
from collab.lake import Manifest
from collab.movielens.editions import ItemKey
from collab.movielens.sources import Source
from collab.release.publish import Release
from collab.release.room import TABLE_SECONDS
from collab.release.snapshot import Snapshot
from collab.runs.budget import Spent, fit_to, size_of
from collab.runs.record import Run
from flows.plan import Plan
from tasks.artifacts import show_checks, show_publication, show_training
from tasks.dataset import prepare_dataset
from tasks.ingest import fetch_archive, ingest_archive
from tasks.publish import publish_tables, write_report
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

    def on(datasets: list[Dataset], recipes: list[Recipe]) -> Trained:
        jobs = [(recipe, dataset) for dataset in datasets for recipe in recipes]
        return train_all(jobs, data, seed=wanted.seed, device=wanted.device, force=force)

    first, *further = (
        partial(prepare_dataset, lake, protocol, data, wanted.as_of, force)
        for protocol in wanted.protocols
    )
    dataset = first()
    recipes, spent, beyond = within_budget(wanted, size_of(dataset))
    trained = on([dataset], recipes) + Trained(runs=[], left_out=beyond)
    if not trained.runs:
        reasons = "".join(f"\n  - {reason}" for reason in trained.left_out)
        remedy = "\nRaise --minutes or --memory, or take --variants all." if beyond else ""
        raise CollabError(f"No variant could be trained:{reasons}{remedy}")
    show_training(lake, trained.runs)
    best = [run.recipe for run in finalists(trained.runs)]
    if skipped := splits_beyond_budget(best, wanted.protocols[1:], size_of(dataset), spent):
        return trained + Trained(runs=[], left_out=(skipped,))
    return trained + on([prepare() for prepare in further], best)


def within_budget(wanted: Plan, size: Size) -> tuple[list[Recipe], Spent, tuple[str, ...]]:
    """The recipes that fit, what they take of the budget, and what is left out of them and why."""
    planned, spent = fit_to(wanted.recipes, size, wanted.budget)
    for each in planned:
        log.info("Planned: %s", each)
    beyond = tuple(f"{each.recipe.name}: {each.reason}" for each in planned if each.reason)
    for reason in beyond:
        log.warning("Left out: %s", reason)
    return [each.recipe for each in planned if each.fits], spent, beyond


def splits_beyond_budget(
    best: list[Recipe], further: list[Protocol], size: Size, spent: Spent
) -> str | None:
    """Why the further splits are left out; None: they fit."""
    seconds = len(further) * sum(recipe.estimator.cost(size).seconds for recipe in best)
    minutes, allowed = seconds / spent.budget.slots / 60, spent.budget.minutes
    if allowed is None or minutes <= allowed - spent.wall / 60:
        return None
    names = ", ".join(protocol.label for protocol in further)
    reason = (
        f"further splits ({names}): about {minutes:.1f} minutes more do not fit into the "
        f"{allowed:g} of --minutes; raise it"
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
    table_seconds: float = TABLE_SECONDS,
    undeclared: tuple[str, ...] = (),
) -> Published:
    """Runs to tables: choose the champion recipe, refit it on all ratings, publish, report."""
    evaluation = evaluate(trained.runs)
    champion = evaluation.champion.run
    day = champion.record.as_of
    as_of = datetime.fromisoformat(day) if day else None
    dataset = prepare_dataset(lake, Protocol(name="all"), data, as_of, force)
    seed = champion.record.seed
    refit, refitted = train_one(
        for_release(champion.recipe), dataset, data, seed=seed, device=device, force=force
    )
    release = Release(
        lake=lake,
        evaluation=evaluation,
        refit=refit,
        baseline=baseline_of(evaluation, lake, data, as_of, device),
        left_out=trained.left_out,
        undeclared=undeclared,
    )
    snapshot, made = publish_tables(release, data, force, max_regression, table_seconds)
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


def baseline_of(
    evaluation: Evaluation, lake: Manifest, data: DataDir, as_of: datetime | None, device: str
) -> Run:
    """User and item means on the rows the champion was measured on, learnt now if need be."""
    for run in evaluation.runs:
        if run.record.variant == BASELINE:
            return run
    record = evaluation.champion.run.record
    dataset = prepare_dataset(lake, record.protocol, data, as_of, False)
    recipe = RECIPES[BASELINE]
    run, _ = train_one(recipe, dataset, data, seed=record.seed, device=device, force=False)
    return run
