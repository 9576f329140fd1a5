"""Search better recipes on the training rows of an edition."""

import inspect
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, tags
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from collab.base.journal import below, step
from collab.base.paths import DataDir, writable_data_dir
from collab.cli.app import make_app
from collab.cli.show import Shown, print_columns, say
from collab.estimators.api import Recipe
from collab.lake import Manifest
from collab.movielens.editions import ItemKey
from collab.runs.devices import find_slots
from collab.search.confirm import Found, begin, confirm
from collab.search.search import Place
from collab.search.write import DIFF, HEAD, TABLE, cells, markdown, write_found
from flows import stages
from flows.interrupt import run_interruptible
from flows.names import run_name, tag_run
from flows.outcome import shown
from flows.parameters import EditionName, ProtocolName, Variants, as_command
from flows.recorded import recorded
from flows.runners import Runner, require_runner, spread
from flows.search_plan import MAX_COST, MINUTES, Plan, plan
from flows.server import reported
from tasks.dataset import prepare_dataset
from tasks.search import show_spent, train_trials


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What was found of each variant, the recipes that are proposed, and where it is written."""

    found: list[Found]
    proposed: list[Recipe]
    folder: Path


@flow(
    name="search",
    flow_run_name=run_name,
    # the device lease says how many train at once
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]
)
@recorded
@spread
def search(
    edition: EditionName = "ml-100k",
    archive: str | None = None,
    data_dir: str | None = None,
    variants: Variants = None,
    minutes: float = MINUTES,
    seed: int = 42,
    protocol: ProtocolName = "random",
    split_seed: int = 42,
    max_cost: float = MAX_COST,
    device: str = "auto",
    runner: Runner = "local",
    item_key: ItemKey | None = None,
    trust_archive: bool = False,
) -> Searched:
    """Better settings for recipes, found on the training rows of a split alone.

    Args:
        edition: a MovieLens edition, such as ml-100k or ml-32m.
        archive: a zip or an unpacked folder to use in place of the known sources.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        variants: which to search, such as a,b,c; `fast`, `classical` or `bayesian` for all of a
            kind; by default all that are trained by default and are not the book's own.
        minutes: the budget, in estimated minutes of one core or one GPU, shared by the variants;
            with two of them it takes about half as long by the clock.
        seed: of the search, and of the first weights, shuffling and sampling of its trials.
        protocol: whose training rows are searched on: random, u1 to u5, ua, ub, or temporal.
        split_seed: of that split.
        max_cost: how many times the estimated cost of the present recipe a trial may have.
        device: auto, cpu, mps, cuda (every one) or cuda:N.
        runner: `ray` spreads training over the Ray cluster that RAY_ADDRESS names, or that runs on
            this machine; `local` is this machine alone.
        item_key: what an item is, a title or a movie; by default the edition's own.
        trust_archive: accept an archive that is not the published one: a cut-down one of your own.
    """
    data = writable_data_dir(data_dir)
    tag_run(edition, data)
    wanted = plan(
        edition=edition,
        variants=variants,
        minutes=minutes,
        seed=seed,
        protocol=protocol,
        split_seed=split_seed,
        max_cost=max_cost,
        device=device,
    )
    lake = stages.take_in(edition, data, archive, item_key, trust_archive, force=False).lake
    with step(data, "search", edition=edition, flow_run=flow_run.get_id()) as entry:
        found = find_recipes(lake, data, wanted)
        folder = wanted.folder(lake, data)
        proposed = write_found(folder, found)
        entry["where"] = below(data, folder)
        entry["trials"] = sum(len(each.search.tried) for each in found)
    create_markdown_artifact("\n".join(markdown(found)), key=f"search-{edition}")
    return Searched(found=found, proposed=proposed, folder=folder)


def find_recipes(lake: Manifest, data: DataDir, wanted: Plan) -> list[Found]:
    """Search every variant, one after the other, each with its share of the budget."""
    first, second = (prepare_dataset(lake, cut, data, None, force=False) for cut in wanted.inner)
    place = Place(
        inner=first,
        runs=data.trials,
        seed=wanted.seed,
        device=find_slots(wanted.device)[0].kind,
        max_cost=wanted.max_cost,
    )
    seconds = 60 * wanted.minutes / len(wanted.recipes)
    train = partial(train_trials, device=wanted.device)
    searches = [begin(recipe, place, seconds) for recipe in wanted.recipes]
    found = []
    for each in searches:
        each.run(train, show_spent(each.present.name))
        found.append(confirm(each, second, train))
    return found


def print_searched(searched: Searched) -> None:
    """The table, and what to do with what was found."""
    rows = [cells(each) for each in searched.found]
    columns = [
        Shown(name, [row[place] for row in rows], number=name not in {"variant", "verdict"})
        for place, name in enumerate(HEAD)
    ]
    print_columns("Mean squared errors on inner splits of training rows", columns)
    folder = shown(searched.folder)
    if searched.proposed:
        say(f"To take what is better: git apply {folder}/{DIFF}")
    else:
        say("Every present recipe stays.")
    say(f"The table: {folder}/{TABLE}")


CHECKED = tuple(inspect.signature(plan).parameters)


def execute(**given: Any) -> None:
    """Run the search; what is refused at its door need not wait for Prefect to start."""
    plan(**{name: given[name] for name in CHECKED if name in given})
    data = writable_data_dir(given.get("data_dir"))
    require_runner(given.get("runner", "local"), data)
    with tags("collab", given.get("edition", "ml-100k")), reported(data):
        print_searched(search(**given))


app = make_app(
    "python -m flows.search",
    "Search better settings of recipes, on the training rows of a split alone.",
    "python -m flows.search --variants fast_dot_product_bias_wd,als",
    "python -m flows.search --edition ml-1m --variants fast --minutes 120",
)
app.default(as_command(search, execute))


def main(arguments: list[str] | None = None) -> int:
    """Run the search from the command line; returns the exit code."""
    return run_interruptible(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
