"""Lazy Adam beside the dense one: errors by seed, and what a step costs by the size of the tables.

    python -m benchmarks.lazy errors --edition ml-1m --archive ml-1m.zip --trust-archive
    python -m benchmarks.lazy steps

Each model is trained on the split of seed 42 with each seed, dense and lazy from the same weights
and in the same order of rows. CPU seconds, one thread. A step is of 64 random rows, between as many
users and movies as an edition has. Prints Markdown.
"""

import argparse
import statistics
import sys
import time

import torch

from collab.base.paths import writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.recipes import FAITHFUL
from collab.estimators.sgd.closed_form import ClosedForm
from collab.estimators.sgd.fit import flushed_denormals, lazy_step, make_lazy, make_step
from collab.estimators.sgd.settings import Settings
from collab.lake import ingest
from collab.movielens.editions import get_edition
from collab.movielens.sources import find_archive
from collab.runs.errors import measure

SIZES = {
    "ml-100k": (943, 1_682),
    "ml-1m": (6_040, 3_883),
    "ml-10m": (69_878, 10_681),
    "ml-32m": (200_948, 87_585),
}
N_STEPS = {False: 300, True: 3_000}  # dense and lazy
BATCH = 64
RECIPE = FAITHFUL["dot_product_bias_wd"][0]


def errors(dataset: Dataset, name: str, *, lazy: bool, seeds: list[int]) -> str:
    """A row: MSE of each seed, their mean and deviation, CPU seconds in the mean."""
    estimator, valid = FAITHFUL[name][0].but(lazy=lazy), dataset.valid()
    mses, seconds = [], []
    for seed in seeds:
        start = time.process_time()
        context = Context.of(dataset, seed, torch.device("cpu"))
        *_, fitted = estimator.fit(dataset.train(), context)
        seconds.append(time.process_time() - start)
        found = measure(fitted.predict(valid), valid.ratings)
        assert found
        mses.append(found.mse)
    spread = f"{statistics.mean(mses):.4f} ± {statistics.stdev(mses):.4f}"
    each = ", ".join(f"{mse:.4f}" for mse in mses)
    shown = f"`{'lazy_' if lazy else ''}{name}`"
    return f"| {shown} | {each} | {spread} | {statistics.mean(seconds):.1f} |\n"


def milliseconds(n_users: int, n_items: int, *, lazy: bool) -> float:
    """CPU time of a step in tables of so many rows."""
    generator, n = torch.Generator().manual_seed(0), N_STEPS[lazy]
    model = RECIPE.build(n_users + 1, n_items + 1, generator)
    gradient = ClosedForm(model, BATCH)  # type: ignore[arg-type]
    settings: Settings = RECIPE.but(lazy=lazy)
    optimizer = make_lazy(gradient, settings, n)
    step = (
        lazy_step(gradient, optimizer)
        if optimizer
        else make_step(gradient, settings, n, capture=False)
    )
    users, items = (
        torch.randint(1, size + 1, (n * BATCH,), generator=generator) for size in (n_users, n_items)
    )
    rows = Rows(users=users, items=items, ratings=torch.full((n * BATCH,), 3.0), ts=users[:0])
    batches = list(gradient.lay_out(rows, BATCH))
    start = time.process_time()
    with flushed_denormals():
        for number, batch in enumerate(batches):
            step(batch, number)
    return 1000 * (time.process_time() - start) / n


def main() -> None:
    """Print one of both tables."""
    parser = argparse.ArgumentParser(description="Lazy Adam beside the dense one.")
    parser.add_argument("what", choices=["errors", "steps"])
    parser.add_argument("--edition", default="ml-100k")
    parser.add_argument("--archive")
    parser.add_argument("--trust-archive", action="store_true")
    parser.add_argument("--data-dir")
    parser.add_argument("--variants", nargs="*", default=["dot_product_bias_wd", "dot_product"])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.what == "steps":
        sys.stdout.write(
            "| edition | rows of the tables | dense, ms | lazy, ms |\n|---|--:|--:|--:|\n"
        )
        for name, sizes in SIZES.items():
            dense, lazy = (milliseconds(*sizes, lazy=kind) for kind in (False, True))
            sys.stdout.write(f"| {name} | {sum(sizes):,} | {dense:.2f} | {lazy:.2f} |\n")
        return
    data = writable_data_dir(asked.data_dir)
    source = find_archive(
        get_edition(asked.edition), data, archive=asked.archive, trust=asked.trust_archive
    )
    dataset, _ = make_dataset(ingest(source, data)[0], Protocol(), data)
    sys.stdout.write("| variant | MSE by seed | mean ± sd | CPU s |\n|---|---|--:|--:|\n")
    for name in asked.variants:
        for lazy in (False, True):
            sys.stdout.write(errors(dataset, name, lazy=lazy, seeds=asked.seeds))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
