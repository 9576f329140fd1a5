"""What large editions can have: Laplace draws around als beside Gibbs sampling, and their cost.

    python -m benchmarks.posteriors --edition ml-1m --archive ml-1m.zip
    python -m benchmarks.posteriors --edition ml-10m --archive ml-10m.zip --sweeps 60

Each model is trained twice, with two seeds, each in a process of its own on one thread. Measured
are the error and the coverage of intervals on validation rows, CPU seconds and peak memory of the
first, and how many of the ten nearest agree between the two, for movies of at least 100 ratings.
Prints Markdown.
"""

import argparse
import multiprocessing
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.sampled_users import Folded, SampledUsers
from collab.base.paths import writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset, load_dataset
from collab.dataset.protocols import Protocol
from collab.estimators.als import Als, Alternated
from collab.estimators.api import Context, HasUncertainty
from collab.estimators.bayes import BayesianMF
from collab.estimators.bayes.models import FactorModel
from collab.lake import ingest
from collab.movielens.editions import get_edition
from collab.movielens.sources import find_archive
from collab.release.interpret import Learnt
from collab.release.posterior import gather, posterior_similarity

MODELS = ("als", "bayesian_mf", "sampled_users")
LEVELS = (50, 80, 90, 95)
TOP, KNOWN = 10, 100
CPU = torch.device("cpu")

Record = dict[str, Any]
Measured = Als | BayesianMF | SampledUsers


def main() -> int:
    """Measure, print, write; returns the exit code."""
    asked = arguments()
    data = writable_data_dir(asked.data_dir)
    edition = get_edition(asked.edition)
    source = find_archive(edition, data, archive=asked.archive, trust=asked.trust_archive)
    lake, _ = ingest(source, data)
    dataset, _ = make_dataset(lake, Protocol(), data)
    sys.stdout.write(HEADER)
    for model in asked.models:
        record = measure_twice(dataset, estimator_of(model, asked.sweeps), asked.seeds)
        sys.stdout.write(line(model, record))
        sys.stdout.flush()
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure posteriors of large editions.")
    parser.add_argument("--edition", default="ml-1m")
    parser.add_argument("--archive", help="if not from its sources")
    parser.add_argument("--trust-archive", action="store_true")
    parser.add_argument("--data-dir", help="the project's data folder")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--sweeps", type=int, default=200, help="of Gibbs sampling")
    parser.add_argument("--seeds", type=int, default=2, help="1: no agreement is measured")
    return parser.parse_args()


def estimator_of(model: str, sweeps: int) -> Measured:
    """The estimator; of a chain a fifth is burn-in, and 32 draws are kept if there are as many."""
    if model == "als":
        return Als()
    burn_in = max(1, sweeps // 5)
    thin = max(1, (sweeps - burn_in) // 32)
    chain = replace(BayesianMF(), sweeps=sweeps, burn_in=burn_in, thin=thin)
    return chain if model == "bayesian_mf" else SampledUsers(chain=chain)


def measure_twice(dataset: Dataset, estimator: Measured, seeds: int) -> Record:
    """The figures of the first seed, and how the others' neighbours agree with its."""
    found = [in_a_process(dataset.path, estimator, seed) for seed in range(seeds)]
    near = [each.pop("near") for each in found]
    agree = [
        statistics.mean(len(set(a) & set(b)) for a, b in zip(near[0], other, strict=True))
        for other in near[1:]
    ]
    return {**found[0], "agreement": statistics.mean(agree) if agree else None}


def in_a_process(folder: Path, estimator: Measured, seed: int) -> Record:
    """Measure in a process of its own, whose memory is the model's."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(measure, folder, estimator, seed).result()


def measure(folder: Path, estimator: Measured, seed: int) -> Record:
    """Train once; error, coverage, cost, and the ten nearest of the known movies."""
    torch.set_num_threads(1)
    dataset = load_dataset(folder)
    started = time.process_time()
    fitted = fit(dataset, estimator, seed)
    trained = time.process_time()
    assert isinstance(fitted, HasUncertainty)
    valid = dataset.valid()
    errors = (fitted.predict(valid) - valid.ratings).abs()
    spread = fitted.spread(valid)
    asked = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    work = estimator.sweeps * dataset.n_train / 1e6
    return {
        "mse": float(errors.double().square().mean()),
        "coverage": [covered(errors, spread, level) for level in LEVELS],
        "train_s": trained - started,
        "spread_s": asked - trained,
        "s_per_million_and_sweep": (trained - started) / work,
        "peak_gib": peak,
        "near": nearest(fitted, dataset),
    }


def fit(dataset: Dataset, estimator: Measured, seed: int) -> Alternated | FactorModel | Folded:
    """The model after the last pass."""
    for fitted in estimator.fit(dataset.train(), Context.of(dataset, seed, CPU)):
        last = fitted
    return last


def covered(errors: torch.Tensor, spread: torch.Tensor, level: int) -> float:
    """The share of ratings inside the central interval of a level, percent."""
    width = statistics.NormalDist().inv_cdf(0.5 + level / 200)
    return float((errors <= width * spread).double().mean())


def nearest(fitted: HasUncertainty, dataset: Dataset) -> list[list[int]]:
    """The ten nearest of each known movie by the mean cosine in the users' metric, as published."""
    draws = gather(fitted.samples())
    n = draws.item_bias.shape[1]
    rows = Learnt(
        ids=np.arange(n, dtype=np.int32),
        factors=draws.units[0].numpy(),  # their lengths matter to no cosine
        bias=draws.item_bias[0].numpy(),
    )
    table = posterior_similarity(draws, rows, k=TOP)["neighbor_id"].to_numpy().reshape(n, -1)
    known = np.flatnonzero(np.diff(dataset.array("item_starts"))[1:] >= KNOWN)
    found: list[list[int]] = table[known].tolist()
    return found


HEADER = (
    "| model | MSE | coverage of 50 / 80 / 90 / 95 % | train, CPU s | spread, CPU s | "
    "s per million ratings and sweep | peak GiB | other seed |\n|---|--:|--:|--:|--:|--:|--:|--:|\n"
)


def line(model: str, r: Record) -> str:
    """One row of the table."""
    coverage = " / ".join(f"{share:.3f}".lstrip("0") for share in r["coverage"])
    agreement = "" if r["agreement"] is None else f"{r['agreement']:.1f}"
    figures = f"{r['train_s']:.0f} | {r['spread_s']:.0f} | {r['s_per_million_and_sweep']:.2f}"
    figures = f"{coverage} | {figures} | {r['peak_gib']:.1f} | {agreement}"
    return f"| {model} | {r['mse']:.4f} | {figures} |\n"


if __name__ == "__main__":
    sys.exit(main())
