"""The whole way of the data: fetch, ingest, train, publish."""

import inspect
import sys
from typing import Any

from prefect import flow, tags
from prefect.task_runners import ThreadPoolTaskRunner

from collab.base.paths import writable_data_dir
from collab.cli.app import make_app
from collab.movielens.editions import ItemKey
from collab.release.regression import MAX_REGRESSION
from flows import stages
from flows.interrupt import run_interruptible
from flows.names import run_name, tag_run
from flows.outcome import Outcome, print_outcome
from flows.parameters import EditionName, Numbers, ProtocolName, Variants, as_command
from flows.plan import plan
from flows.recorded import recorded
from flows.runners import Runner, require_runner, spread
from flows.server import reported
from flows.undeclared import of_plan, refuse
from tasks.events import announce_publication, mark_announced
from tasks.retention import collect_garbage


@flow(
    name="pipeline",
    flow_run_name=run_name,
    # the device lease says how many train at once
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]
)
@recorded
@spread
def pipeline(
    edition: EditionName = "ml-100k",
    archive: str | None = None,
    data_dir: str | None = None,
    seed: int | None = None,
    variants: Variants = None,
    epochs: int | None = None,
    chains: int | None = None,
    protocol: ProtocolName = "random",
    split_seed: int = 42,
    splits: Numbers = None,
    as_of: str | None = None,
    device: str = "auto",
    runner: Runner = "local",
    minutes: float | None = None,
    memory: float | None = None,
    item_key: ItemKey | None = None,
    trust_archive: bool = False,
    force: bool = False,
    max_regression: float = MAX_REGRESSION,
    no_gate: bool = False,
    keep_days: float | None = None,
    override: bool = True,
) -> Outcome:
    """MovieLens to published tables: fetch, check, train, evaluate, publish.

    Args:
        edition: a MovieLens edition, such as ml-100k or ml-32m.
        archive: a zip or an unpacked folder to use in place of the known sources.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        seed: of the first weights, shuffling and sampling; by default that declared for the
            edition.
        variants: which to train, such as a,b,c; `faithful`, `fast`, `lazy`, `classical` or
            `bayesian` for all of a kind, `all` for every one; by default those declared for the
            edition: all but the lazy ones and those that take minutes.
        epochs: passes over the training rows; by default each recipe's own.
        chains: how many of each sampled model, run side by side and merged; by default one.
        protocol: which ratings validate: random, u1 to u5, ua, ub, or temporal.
        split_seed: of the first split.
        splits: seeds of several, such as 42,1,2: all variants run on the first, the best three
            also on the others; by default two more, as declared for the edition.
        as_of: only ratings up to this day or moment; what comes of it is never served.
        device: auto, cpu, mps, cuda (every one) or cuda:N.
        runner: `ray` spreads training over the Ray cluster that RAY_ADDRESS names, or that runs on
            this machine; `local` is this machine alone.
        minutes: what all training may take, as estimated beforehand: variants, and then further
            splits, that do not fit are left out and named; `--variants all` trains them anyway. A
            fifth as much is for recommendations to all users and all variants' predictions. By
            default what is declared for the edition.
        memory: GiB that one run may take; by default what is free.
        item_key: what an item is, a title or a movie; by default the edition's own.
        trust_archive: accept an archive that is not the published one: a cut-down one of your own.
        force: do everything again, also what is committed.
        max_regression: by how much, as a part, the champion's error may surely be larger than the
            last published one's on equal rows; more is refused.
        no_gate: publish however the champion compares; recorded in the publication.
        keep_days: at the end remove runs, datasets and lake folders that are older than so many
            days and that nothing published refers to; by default none. What killed processes left
            half made goes always.
        override: publish also what is not the set declared for the edition; recorded in the
            publication. The deployment does not.
    """
    data = writable_data_dir(data_dir)
    tag_run(edition, data)
    wanted = plan(
        edition=edition,
        variants=variants,
        epochs=epochs,
        chains=chains,
        device=device,
        seed=seed,
        protocol=protocol,
        split_seed=split_seed,
        splits=splits,
        as_of=as_of,
        minutes=minutes,
        memory=memory,
        max_regression=max_regression,
    )
    undeclared = of_plan(wanted, edition, item_key)
    if not override and wanted.as_of is None:
        refuse(undeclared, edition)
    taken = stages.take_in(edition, data, archive, item_key, trust_archive, force)
    trained = stages.train(taken.lake, data, wanted, force)
    limit = None if no_gate else max_regression
    published = stages.publish(
        taken.lake,
        trained,
        data,
        device=device,
        force=force,
        max_regression=limit,
        table_seconds=wanted.table_seconds,
        undeclared=undeclared,
    )
    mark_announced(taken.lake)
    if wanted.as_of is None:
        announce_publication(taken.lake, published.snapshot, published.made, data)
    collect_garbage(data, keep_days)
    return Outcome(taken=taken, trained=trained, published=published)


CHECKED = tuple(inspect.signature(plan).parameters)


def execute(**given: Any) -> None:
    """Run the pipeline; what is refused at its door need not wait for Prefect to start."""
    edition = given.get("edition", "ml-100k")
    plan(**{"edition": edition, **{name: given[name] for name in CHECKED if name in given}})
    data = writable_data_dir(given.get("data_dir"))
    require_runner(given.get("runner", "local"), data)
    with tags("collab", edition), reported(data):
        print_outcome(pipeline(**given))


app = make_app(
    "python -m flows.pipeline",
    "MovieLens to published tables: fetch, check, train, evaluate, publish.",
    "python -m flows.pipeline                              ml-100k, all variants",
    "python -m flows.pipeline --variants fast --seed 7",
    "python -m flows.pipeline --edition ml-32m --archive ~/ml-32m.zip --data-dir /srv/movielens",
)
app.default(as_command(pipeline, execute))


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline from the command line; returns the exit code."""
    return run_interruptible(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
