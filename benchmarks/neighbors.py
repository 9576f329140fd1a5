"""How far a table of similar movies can be believed: seeds, other ratings, series, junk.

    python -m benchmarks.neighbors --archive ml-100k.zip

For movies of at least 100 ratings: how many of the ten nearest agree between two seeds on the same
ratings, and between two fits on different random 80 % of them; how many of the ten have fewer than
20 ratings; and how many films of one series (by how titles begin; no model sees titles) are among
each other's ten. Prints Markdown.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.ml_100k import ml_100k
from collab.base.database import open_database
from collab.base.paths import writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Context, Estimator, HasFactors, HasUncertainty
from collab.estimators.recipes import get_recipes
from collab.release.interpret import Learnt
from collab.release.posterior import gather, posterior_similarity
from collab.release.similarity import similarity_table

VARIANTS = ("fast_dot_product_bias_wd", "als", "bayesian_mf")
TOP, KNOWN, RARE = 10, 100, 20
SEEDS = (0, 1000)  # far apart: chains have seeds that follow one another
CPU = torch.device("cpu")
SERIES = (
    ("Star Wars (1977)", "Empire Strikes Back", "Return of the Jedi"),
    ("Star Trek",),
    ("Die Hard (", "Die Hard 2", "Die Hard: With"),
    ("Raiders of the Lost Ark", "Indiana Jones"),
    ("Free Willy",),
    ("Home Alone",),
    ("Jurassic Park", "Lost World: Jurassic Park"),
    ("Scream (", "Scream 2"),
    ("Back to the Future",),
    ("Beauty and the Beast (1991)", "Aladdin (", "Lion King", "Pinocchio", "Snow White",
     "Cinderella (", "Dumbo"),
    ("Children of the Corn",),
    ("Three Colors",),
)  # fmt: skip

Near = dict[int, list[int]]


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Judge tables of similar movies.")
    parser.add_argument("--archive", help="ml-100k, if not from its sources")
    parser.add_argument("--data-dir", help="the project's data folder")
    parser.add_argument("--variants", nargs="+", default=VARIANTS, metavar="NAME")
    parser.add_argument("--chains", type=int, help="of sampled models, merged; by default one")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data = writable_data_dir(asked.data_dir)
    lake = ml_100k(data, asked.archive)
    every, _ = make_dataset(lake, Protocol(name="all"), data)
    parts = [make_dataset(lake, Protocol(split_seed=seed), data)[0] for seed in (1, 2)]
    with open_database() as con:
        titles = dict(
            con.execute(
                "SELECT movie_id, title FROM read_parquet($path) WHERE movie_id = item_id",
                {"path": str(lake.movies)},
            ).fetchall()
        )
    sys.stdout.write("| variant | other seed | other 80 % | series | under 20 ratings |\n")
    sys.stdout.write("|---|--:|--:|--:|--:|\n")
    for recipe in get_recipes(asked.variants, chains=asked.chains):
        figures = " | ".join(judge(recipe.estimator, every, parts, titles))
        sys.stdout.write(f"| `{recipe.name}` | {figures} |\n")
        sys.stdout.flush()
    return 0


def judge(
    estimator: Estimator, every: Dataset, parts: list[Dataset], titles: dict[int, str]
) -> Iterator[str]:
    """The four figures of an estimator, as text."""
    counts = dict(zip(every.items.ids.tolist(), ratings_of(every).tolist(), strict=True))
    known = [item for item, n in counts.items() if n >= KNOWN]
    one, other = (nearest(estimator, every, seed) for seed in SEEDS)
    yield f"{agreement(one, other, known):.1f}"
    first, second = (nearest(estimator, part, 0) for part in parts)
    yield f"{agreement(first, second, known):.1f}"
    yield f"{series_recall(one, titles, counts):.2f}"
    rare = [sum(counts[n] < RARE for n in one[item]) for item in known]
    yield f"{np.mean(rare):.2f}"


def nearest(estimator: Estimator, dataset: Dataset, seed: int) -> Near:
    """The ten nearest of every item, as they would be published."""
    for fitted in estimator.fit(dataset.train(), Context.of(dataset, seed, CPU)):
        last = fitted
    assert isinstance(last, HasFactors)
    factors = last.factors()
    found = Learnt(
        ids=np.asarray(dataset.items.ids),
        factors=factors.item_factors[1:].contiguous().numpy(),
        bias=factors.item_bias[1:].numpy(),
    )
    if isinstance(last, HasUncertainty):
        table = posterior_similarity(gather(last.samples()), found)
    else:
        table = similarity_table(found)
    top = table[table["rank"] <= TOP]
    near = top["neighbor_id"].groupby(top["item_id"]).agg(list)
    return {int(item): found for item, found in zip(near.index, near, strict=True)}


def ratings_of(dataset: Dataset) -> NDArray[np.int64]:
    """How many ratings each item has, the unknown left out."""
    counts: NDArray[np.int64] = np.diff(dataset.array("item_starts"))[1:]
    return counts


def agreement(one: Near, other: Near, items: list[int]) -> float:
    """How many of the ten nearest two tables have in common, on average over items of both."""
    both = [item for item in items if item in one and item in other]
    return float(np.mean([len(set(one[item]) & set(other[item])) for item in both]))


def series_recall(near: Near, titles: dict[int, str], counts: dict[int, int]) -> float:
    """The share of ordered pairs of one series of which the second is among the first's ten."""
    hits = []
    for beginnings in SERIES:
        films = [
            item for item, n in counts.items() if n >= RARE and titles[item].startswith(beginnings)
        ]
        hits += [b in near[a] for a in films for b in films if a != b]
    return float(np.mean(hits))


if __name__ == "__main__":
    sys.exit(main())
