"""What fits cost beside their estimates: `python -m benchmarks.costs [VARIANT ...] [--sizes 1 10]`

Made-up ratings, as skewed as real ones, between as many users and movies as the editions of 100
thousand, 1 million and 10 million ratings have; CPU seconds of whole fits on one thread, but of the
chapter's own recipes, whose steps are all alike, as many rows as make 300 steps, times the rest.
"""

import argparse
import sys
import time

import torch

from benchmarks.bare import bare_context
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import Estimator
from collab.estimators.cost import Size
from collab.estimators.recipes import RECIPES, get_recipes
from collab.estimators.sgd.settings import Settings

STEPS = 300
SIZES = {100_000: (943, 1_682), 1_000_000: (6_040, 3_706), 10_000_000: (69_878, 10_677)}


def skewed(n: int, limit: int, generator: torch.Generator) -> torch.Tensor:
    """n ids below `limit`, small ones far more often."""
    return (limit * torch.rand(n, generator=generator) ** 2.5).long()


def made_up(n: int, users: int, items: int) -> Rows:
    """So many ratings, grouped by user and by item."""
    draw = torch.Generator().manual_seed(0)
    rows = Rows(
        users=skewed(n, users, draw),
        items=skewed(n, items, draw),
        ratings=torch.randint(1, 6, (n,), generator=draw).float(),
        ts=torch.arange(n),
    )
    order = rows.users.argsort(stable=True)
    return grouped(rows.take(order), users, items)


def measured(estimator: Estimator, size: Size) -> float:
    """CPU seconds of a fit."""
    n, times = size.n_ratings, 1.0
    if isinstance(estimator, Settings) and not estimator.batch_share:
        n = min(n, STEPS * estimator.batch_size)
        estimator, times = estimator.but(epochs=1), size.n_ratings / n * estimator.epochs
    rows = made_up(n, size.n_users, size.n_items)
    start = time.process_time()
    for _ in estimator.fit(rows, bare_context(0, size.n_users, size.n_items)):
        pass
    return (time.process_time() - start) * times


def main() -> None:
    """Print a line for each variant and size."""
    parser = argparse.ArgumentParser(description="What fits cost beside their estimates.")
    parser.add_argument("variants", nargs="*", default=list(RECIPES))
    parser.add_argument("--sizes", type=int, nargs="+", choices=list(SIZES), default=[100_000])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for recipe in get_recipes(asked.variants):
        for n in asked.sizes:
            users, items = SIZES[n]
            size = Size(n_ratings=n, n_users=users, n_items=items)
            found, told = measured(recipe.estimator, size), recipe.estimator.cost(size).seconds
            sys.stdout.write(
                f"{recipe.name:<30} {n:>10,} ratings: {found:9.2f} CPU s, estimated {told:9.2f}, "
                f"{told / found:5.2f} of it\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
