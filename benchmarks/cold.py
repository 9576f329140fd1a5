"""Movies that nobody rated, from genres and year: a tenth of all are hidden and predicted.

    python -m benchmarks.cold --edition ml-latest-small --archive ml-latest-small.zip

All ratings of movies drawn at random are taken from training. They are predicted, for users who are
known, as the macro `predict` does it. Prints Markdown: MSE, and how many the 95 % interval holds.
"""

import argparse
import sys
from dataclasses import replace

import torch
from torch import Tensor

from collab.base.paths import writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.features import Features
from collab.dataset.protocols import Protocol
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import Context, Factors
from collab.estimators.fold_in import FoldsIn, Prior, inputs
from collab.estimators.recipes import RECIPES
from collab.lake import ingest
from collab.movielens.editions import get_edition
from collab.movielens.sources import find_archive
from collab.release.cold import expected_rows, raters_metric
from collab.release.interpret import centred
from collab.release.newcomer import variance_of

HIDDEN = 0.1
TITLES = (
    "model | seed | ratings | genres, year | mean row | user's mean | global mean | within 95 %"
)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Cold start of movies.")
    parser.add_argument("--edition", default="ml-latest-small")
    parser.add_argument("--archive", help="if not from its sources; taken as it is")
    parser.add_argument("--data-dir", help="the project's data folder")
    parser.add_argument("--variants", nargs="*", default=("als", "bayesian_mf"))
    parser.add_argument("--seeds", nargs="*", type=int, default=(1, 2, 3))
    asked = parser.parse_args()
    data = writable_data_dir(asked.data_dir)
    source = find_archive(get_edition(asked.edition), data, archive=asked.archive, trust=True)
    dataset, _ = make_dataset(ingest(source, data)[0], Protocol(name="all"), data)
    sys.stdout.write(f"| {TITLES} |\n|---{'|--:' * TITLES.count('|')}|\n")
    for variant in asked.variants:
        for seed in asked.seeds:
            told = " | ".join(measure(dataset, variant, seed))
            sys.stdout.write(f"| `{variant}` | {seed} | {told} |\n")
    return 0


def measure(dataset: Dataset, variant: str, seed: int) -> list[str]:
    """The cells below `TITLES` from the number of hidden ratings on."""
    rows, context = dataset.train(), Context.of(dataset, seed, torch.device("cpu"))
    chance = torch.rand(context.n_items, generator=torch.Generator().manual_seed(seed))
    held = (chance < HIDDEN)[rows.items.long()]
    train = grouped(rows.take((~held).nonzero()[:, 0]), context.n_users, context.n_items)
    unseen = rows.take(held.nonzero()[:, 0])
    *_, model = RECIPES[variant].estimator.fit(train, context)
    assert isinstance(model, FoldsIn)
    found, features = centred(model.factors(), train.items), context.features
    nothing = replace(features, genres=features.genres * 0, years=features.years * 0)
    (told, sd), (mean, _) = (with_cold(found, train, of) for of in (features, nothing))
    by_rows = [of.predict(unseen.users, unseen.items) for of in (told, mean)]
    given, n = (torch.bincount(train.users, of, context.n_users) for of in (train.ratings, None))
    users_mean = (given / n)[unseen.users]
    predictions = [*by_rows, users_mean, train.ratings.mean()]
    errors = [f"{(p - unseen.ratings).square().double().mean():.4f}" for p in predictions]
    return [f"{len(unseen):,}", *errors, f"{within(told, train, unseen, model.prior(), sd):.1%}"]


def with_cold(found: Factors, train: Rows, features: Features) -> tuple[Factors, Tensor]:
    """The tables with the rows of movies without ratings, and each one's sd (n_items,)."""
    counts = torch.bincount(train.items, minlength=len(found.item_bias))
    rated = torch.bincount(train.users, minlength=len(found.user_bias))
    items = torch.cat([found.item_factors, found.item_bias[:, None]], 1)
    metric = raters_metric(found.user_factors, rated)
    expected, sd = expected_rows(items, counts, features, metric)
    items = torch.where(counts[:, None] > 0, items, expected.float())
    return replace(found, item_factors=items[:, :-1], item_bias=items[:, -1]), sd


def within(told: Factors, train: Rows, unseen: Rows, prior: Prior, sd: Tensor) -> float:
    """The share of ratings within the 95 % interval, cut to the scale."""
    x, variance = inputs(told), sd[unseen.items].square()
    for user in set(unseen.users.tolist()):
        at = unseen.users == user
        variance[at] += variance_of(train, prior, x, user, unseen.items[at])
    score, reach = told.score(unseen.users, unseen.items), 1.96 * variance.sqrt()
    low, high = (told.link(score + end) for end in (-reach, reach))  # cuts them to the scale
    return float(((low <= unseen.ratings) & (unseen.ratings <= high)).double().mean())


if __name__ == "__main__":
    sys.exit(main())
