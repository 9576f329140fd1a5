"""The whole way of the data: fetch, ingest, train, publish."""

import sys

from prefect import flow, unmapped
from prefect.task_runners import ThreadPoolTaskRunner

from collab.errors import CollabError
from collab.movielens.editions import ItemKey, get_edition
from collab.paths import writable_data_dir
from collab.publish.interpret import require_interpretable
from collab.publish.regression import MAX_REGRESSION, require_sensible
from collab.training.devices import find_slots
from collab.training.recipe import Recipe
from collab.training.recipes import get_recipes
from flows.outcome import Outcome, print_outcome
from flows.parameters import parse_arguments
from tasks.ingest import fetch_archive, ingest_archive
from tasks.publish import publish_tables
from tasks.train import train_variant


@flow(
    name="pipeline",
    flow_run_name="{edition}-seed-{seed}",
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
    recipes = plan(edition, variants, epochs, device, max_regression)
    source = fetch_archive(edition, data, archive, trust_archive, force)
    lake, ingested = ingest_archive(source, data, item_key, force)
    training = train_variant.map(recipes, unmapped(lake), unmapped(data), seed, device, force)
    trained = training.result()
    runs = [run for run, _ in trained]
    snapshot, published = publish_tables(
        lake, runs, data, force, None if no_gate else max_regression
    )
    return Outcome(
        source=source,
        lake=lake,
        snapshot=snapshot,
        runs=runs,
        fetched=source.fetched_now,
        ingested=ingested,
        trained=sum(now for _, now in trained),
        published=published,
    )


def plan(
    edition: str,
    variants: list[str] | None,
    epochs: int | None,
    device: str,
    max_regression: float = MAX_REGRESSION,
) -> list[Recipe]:
    """Refuse at the door what cannot end well; returns the recipes.

    Raises:
        CollabError: an unknown edition, variant or device, variants without biases, or a limit
            that means nothing.
    """
    require_sensible(max_regression)
    get_edition(edition)
    find_slots(device)
    recipes = get_recipes(variants, epochs)
    require_interpretable(recipes)
    return recipes


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline from the command line; returns the exit code."""
    given = parse_arguments(arguments)
    try:
        # what is refused here need not wait for Prefect to start
        checked = ("edition", "variants", "epochs", "device", "max_regression")
        plan(**{name: given[name] for name in checked})
        print_outcome(pipeline(**given))
    except CollabError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
