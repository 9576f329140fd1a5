"""Movies that nobody rated, from genres and year: hide a tenth of the movies, predict their ratings.

    python -m benchmarks.cold --edition ml-latest-small --archive ml-latest-small.zip

All ratings of movies drawn at random are taken from training; the rows of the hidden movies are those
of `collab.release.cold`. Their ratings are predicted for the users, all of whom training knows.
Prints Markdown: MSE over those ratings, and how many lie within the 95 % interval.
"""

import argparse
import sys

import torch
from torch import Tensor

from collab.base.paths import writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.dataset.rows import grouped
from collab.estimators.api import Context
from collab.estimators.fold_in import FoldsIn, inputs
from collab.estimators.recipes import RECIPES
from collab.lake import ingest
from collab.movielens.editions import get_edition
from collab.movielens.sources import find_archive
from collab.release.cold import expected_rows
from collab.release.interpret import centred
from collab.release.newcomer import variance_of

HIDDEN = 0.1
COLUMNS = (
    "genres and year",
    "mean row",
    "user mean",
    "global mean",
    "within 95 %",
    "within, noise alone",
)


def main() -> int:
    """Measure and print; returns the exit code."""
    asked = arguments()
    data = writable_data_dir(asked.data_dir)
    source = find_archive(get_edition(asked.edition), data, archive=asked.archive, trust=True)
    dataset, _ = make_dataset(ingest(source, data)[0], Protocol(name="all"), data)
    sys.stdout.write(f"| model | seed | ratings | {' | '.join(COLUMNS)} |\n")
    sys.stdout.write("|---|--:|--:|" + "--:|" * len(COLUMNS) + "\n")
    for variant in asked.variants:
        for seed in asked.seeds:
            n, found = measure(dataset, variant, seed)
            sys.stdout.write(f"| {variant} | {seed} | {n} | {' | '.join(found)} |\n")
            sys.stdout.flush()
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Cold start of movies.")
    parser.add_argument("--edition", default="ml-latest-small")
    parser.add_argument("--archive", help="if not from its sources; taken as it is")
    parser.add_argument("--data-dir", help="the project's data folder")
    parser.add_argument("--variants", nargs="*", default=("als", "bayesian_mf"))
    parser.add_argument("--seeds", nargs="*", type=int, default=(1, 2, 3))
    return parser.parse_args()


def measure(dataset: Dataset, variant: str, seed: int) -> tuple[int, list[str]]:
    """How many ratings were hidden, and the figures of `COLUMNS`."""
    g = torch.Generator().manual_seed(seed)
    rows, n_items = dataset.train(), len(dataset.items)
    hidden = torch.rand(n_items, generator=g) < HIDDEN
    held = hidden[rows.items.long()]
    train = grouped(rows.take((~held).nonzero()[:, 0]), len(dataset.users), n_items)
    unseen = rows.take(held.nonzero()[:, 0])
    *_, model = RECIPES[variant].estimator.fit(
        train, Context.of(dataset, seed, torch.device("cpu"))
    )
    assert isinstance(model, FoldsIn)
    assert train.by_item
    found = centred(model.factors(), train.items)
    items = torch.cat([found.item_factors, found.item_bias[:, None]], 1)
    counts = train.by_item.counts
    expected, sd = expected_rows(items, counts, dataset.features(), found.user_factors[1:])
    items = torch.where(hidden[:, None], expected.float(), items)
    told = replace(found, item_factors=items[:, :-1], item_bias=items[:, -1])
    print(float(sd[hidden].mean()), model.prior().noise, expected[hidden, -1].std())
    prediction = told.predict(unseen.users, unseen.items)
    variance = torch.cat(
        [
            variance_of(train, model.prior(), inputs(told), int(u), unseen.items[unseen.users == u])
            for u in unseen.users.unique()
        ]
    )
    var2 = variance + sd[unseen.items] ** 2

    def within(var):
        off = (prediction - unseen.ratings).abs()
        s = (told.score(unseen.users, unseen.items) - unseen.ratings).abs()
        lo = (told.score(unseen.users, unseen.items) - 1.96 * var.sqrt()).clamp(*found.clip)
        hi = (told.score(unseen.users, unseen.items) + 1.96 * var.sqrt()).clamp(*found.clip)
        return f"{float(((unseen.ratings >= lo - 1e-6) & (unseen.ratings <= hi + 1e-6)).double().mean()):.1%}"

    def mse(p: Tensor) -> str:
        return f"{float((p - unseen.ratings).square().double().mean()):.4f}"

    mid = (counts / (counts + 10.0)).double()
    mid = (
        mid @ torch.cat([found.item_factors, found.item_bias[:, None]], 1).double() / mid.sum()
    ).float()
    m2 = replace(
        found, item_factors=mid[:-1].expand(n_items, -1), item_bias=mid[-1].expand(n_items)
    )
    mean = train.ratings.mean()
    sums = torch.zeros(len(dataset.users)).index_add(0, train.users.long(), train.ratings)
    um = sums / train.by_user.counts
    um0 = replace(found, item_factors=0 * found.item_factors, item_bias=0 * found.item_bias)
    return len(unseen), [
        mse(prediction),
        mse(m2.predict(unseen.users, unseen.items)),
        mse(um[unseen.users]),
        mse(mean),
        within(var2),
        within(variance),
        mse(um0.predict(unseen.users, unseen.items)),
    ]


if __name__ == "__main__":
    from dataclasses import replace

    sys.exit(main())
