"""The whole way of the data: fetch, ingest, train, publish."""

import signal
import sys
from types import FrameType

from prefect import flow, tags
from prefect.task_runners import ThreadPoolTaskRunner

from collab.base.errors import CollabError
from collab.movielens.editions import ItemKey
from collab.base.paths import writable_data_dir
from collab.release.regression import MAX_REGRESSION
from collab.runs.launch import STOP
from flows.names import run_name
from flows.outcome import Outcome, print_outcome
from flows.parameters import parse_arguments
from flows.plan import plan
from flows.runners import runner_options
from tasks.artifacts import show_checks, show_publication, show_training
from tasks.events import announce_publication, mark_announced
from tasks.ingest import fetch_archive, ingest_archive
from tasks.publish import publish_tables
from tasks.train import train_all


@flow(
    name="pipeline",
    flow_run_name=run_name,
    # the device lease says how many train at once
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]
)
def pipeline(
    edition: str = "ml-100k",
    archive: str | None = None,
    data_dir: str | None = None,
    seed: int = 42,
    variants: list[str] | None = None,
    epochs: int | None = None,
    device: str = "auto",
    item_key: ItemKey | None = None,
    trust_archive: bool = False,
    force: bool = False,
    max_regression: float = MAX_REGRESSION,
    no_gate: bool = False,
) -> Outcome:
    """MovieLens to published tables.

    Args:
        edition: a MovieLens edition, such as ml-100k or ml-32m.
        archive: a zip or an unpacked folder to use in place of the known sources.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        seed: of the split, the first weights and the shuffling.
        variants: which to train; `faithful` or `fast` for all of a kind; by default both.
        epochs: passes over the training rows; by default each recipe's own.
        device: auto, cpu, mps, cuda or cuda:N.
        item_key: what an item is, a title or a movie; by default the edition's own.
        trust_archive: accept an archive that is not the published one.
        force: do everything again, also what is committed.
        max_regression: how much worse than the last published one the champion's valid MSE may be,
            as a part of it; more is refused.
        no_gate: publish however much worse it is; recorded in the publication.
    """
    data = writable_data_dir(data_dir)
    recipes = plan(edition, variants, epochs, device, seed, max_regression)
    source = fetch_archive(edition, data, archive, trust_archive, force)
    lake, ingested = ingest_archive(source, data, item_key, force)
    show_checks(lake)
    runs, trained = train_all(recipes, lake, data, seed=seed, device=device, force=force)
    show_training(lake, runs)
    limit = None if no_gate else max_regression
    snapshot, published = publish_tables(lake, runs, data, force, limit)
    show_publication(snapshot)
    mark_announced(lake)
    announce_publication(lake, snapshot, published, data)
    return Outcome(
        source=source,
        lake=lake,
        snapshot=snapshot,
        runs=runs,
        fetched=source.fetched_now,
        ingested=ingested,
        trained=trained,
        published=published,
    )


def interrupt(number: int, frame: FrameType | None) -> None:
    """On Ctrl-C end the training children: their tasks fail, and so the flow, at once."""
    if not STOP():
        raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline from the command line; returns the exit code."""
    given = parse_arguments(arguments)
    runner = given.pop("runner")
    signal.signal(signal.SIGINT, interrupt)
    try:
        # what is refused here need not wait for Prefect to start
        checked = ("edition", "variants", "epochs", "device", "seed", "max_regression")
        plan(**{name: given[name] for name in checked})
        with tags("collab", given["edition"]), runner_options(runner) as options:
            print_outcome(pipeline.with_options(**options)(**given))
    except CollabError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 130 if STOP.asked else 1
    except KeyboardInterrupt:
        print("error: Interrupted. What is committed is kept.", file=sys.stderr)  # noqa: T201
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
