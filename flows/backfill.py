"""Train the published champion recipe as of earlier days, so that its biases can be followed."""

import logging
import sys
from datetime import UTC, date, datetime, time
from typing import Any

from prefect import flow, tags
from prefect.task_runners import ThreadPoolTaskRunner

from collab.base.errors import CollabError
from collab.base.paths import DataDir, writable_data_dir
from collab.cli.app import make_app
from collab.cli.output import TERMINAL, Column
from collab.cli.rows import Rows
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.lake import Manifest, find_manifest
from collab.movielens.editions import get_edition
from collab.runs.devices import find_slots
from collab.runs.record import Run
from flows.backfill_plan import Every, champion_of, day, days
from flows.interrupt import run_interruptible
from flows.names import run_name, tag_run
from flows.parameters import EditionName, as_command
from flows.recorded import recorded
from flows.runners import Runner, require_runner, spread
from flows.server import reported
from tasks.dataset import prepare_dataset
from tasks.train import train_all

log = logging.getLogger("collab.flows")


@flow(
    name="backfill",
    flow_run_name=run_name,
    # the device lease says how many train at once
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]
)
@recorded
@spread
def backfill(
    edition: EditionName = "ml-100k",
    from_day: str | None = None,
    to_day: str | None = None,
    every: Every = "month",
    data_dir: str | None = None,
    device: str = "auto",
    runner: Runner = "local",
) -> list[Run]:
    """The champion recipe, trained and measured as of each of many days.

    What is committed is not trained again, so a backfill that was stopped goes on when it is
    started anew. The next publication takes the biases and the errors up.

    Args:
        edition: a MovieLens edition that is published.
        from_day: the first day; by default one step after the first rating.
        to_day: the last day; by default that of the last rating.
        every: the step from one day to the next: week, month, quarter or year.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        device: auto, cpu, mps, cuda (every one) or cuda:N.
        runner: `ray` spreads training over the Ray cluster that RAY_ADDRESS names, or that runs on
            this machine; `local` is this machine alone.

    Returns:
        The runs, earliest day first.
    """
    get_edition(edition)
    find_slots(device)
    first, last = day("from-day", from_day), day("to-day", to_day)
    data = writable_data_dir(data_dir)
    tag_run(edition, data)
    lake = find_manifest(data, edition)
    champion = champion_of(data, edition)
    wanted = days(lake, first, last, every)
    log.info("%s as of %d days, %s to %s", champion.recipe.name, len(wanted), wanted[0], wanted[-1])
    datasets = [found for when in wanted if (found := dataset_as_of(lake, data, when))]
    if not datasets:
        raise CollabError(
            f"There are too few ratings as of {wanted[-1]}, the last of {len(wanted)} days; name "
            "later ones."
        )
    jobs = [(champion.recipe, dataset) for dataset in datasets]
    trained = train_all(jobs, data, seed=champion.seed, device=device, force=False)
    if trained.left_out:
        reasons = "".join(f"\n  - {reason}" for reason in trained.left_out)
        raise CollabError(
            f"{len(trained.runs)} of {len(datasets)} days are there. Start the backfill again, and "
            f"only what is missing is trained.{reasons}"
        )
    return trained.runs


def dataset_as_of(lake: Manifest, data: DataDir, when: date) -> Dataset | None:
    """The ratings up to the end of a day; None where they are too few to train on."""
    moment = datetime.combine(when, time(23, 59, 59), UTC)
    try:
        return prepare_dataset(lake, Protocol(name="temporal"), data, moment, force=False)
    except CollabError as error:
        log.warning("%s is left out: %s", when, error)
        return None


def print_runs(runs: list[Run]) -> None:
    """A line for each day, and what to do next."""
    columns = (
        Column("as_of", head="as of"),
        Column("n_train", ",d", "learnt from"),
        Column("n_valid", ",d", "measured on"),
        Column("mse", ".4f", "MSE"),
    )
    types = {"as_of": "VARCHAR", "n_train": "INTEGER", "n_valid": "INTEGER", "mse": "DOUBLE"}
    rows = [
        ((run.record.as_of or "")[:10], run.record.n_train, run.record.n_valid, run.record.mse)
        for run in runs
    ]
    TERMINAL.rows(Rows.of(types, rows), runs[0].record.variant, columns)
    TERMINAL.say("The next publication has them in bias_history and metric_history.")


def execute(**given: Any) -> None:
    """Run the backfill; what is refused at its door need not wait for Prefect to start."""
    edition = given.get("edition", "ml-100k")
    get_edition(edition)
    data = writable_data_dir(given.get("data_dir"))
    champion_of(data, edition)
    require_runner(given.get("runner", "local"), data)
    with tags("collab", edition), reported(data):
        print_runs(backfill(**given))


app = make_app(
    "python -m flows.backfill",
    "Train the published champion recipe as of earlier days, so that biases can be followed.",
    "python -m flows.backfill --every month",
    "python -m flows.backfill --edition ml-25m --from-day 2000-12-31 --every year",
)
app.default(as_command(backfill, execute))


def main(arguments: list[str] | None = None) -> int:
    """Run a backfill from the command line; returns the exit code."""
    return run_interruptible(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
