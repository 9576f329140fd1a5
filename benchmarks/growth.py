"""How training grows: seconds per million ratings and peak memory at 100k, 1M and 10M ratings.

    python -m benchmarks.growth

Synthetic ratings, as skewed as real ones, between as many users and movies as ml-100k, ml-1m and
ml-10m have; one epoch of the fast recipe, median of three, each size in a process of its own.
Memory is what the process peaks at above its start, beside what the data, the parameters, their
gradients and the optimizer's state take.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch

from benchmarks.bare import bare_context
from collab.dataset.rows import Rows
from collab.estimators.recipes import RECIPES
from collab.estimators.sgd.estimator import Sgd
from collab.runs.train import timed

RECIPE = RECIPES["fast_dot_product_bias_wd"].estimator
SIZES = {100_000: (943, 1_682), 1_000_000: (6_040, 3_706), 10_000_000: (69_878, 10_677)}
MIB = 1 << 20
PASSES = 3
BUFFERS = 4  # values, gradients, and the optimizer's two averages


def skewed(n: int, limit: int, generator: torch.Generator) -> torch.Tensor:
    """n ids below `limit`, int32, small ones far more often; made in parts to keep memory flat."""
    ids = torch.empty(n, dtype=torch.int32)
    for part in torch.split(ids, MIB):
        part.copy_((limit * torch.rand(len(part), generator=generator) ** 2.5).int())
    return ids


def stars(n: int, generator: torch.Generator) -> torch.Tensor:
    """n ratings of 1 to 5."""
    ratings = torch.empty(n)
    for part in torch.split(ratings, MIB):
        part.copy_(torch.randint(1, 6, (len(part),), generator=generator))
    return ratings


def status(name: str) -> float:
    """A memory figure of this process, MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def measure(n: int) -> dict[str, float]:
    """Train on n synthetic ratings in this process."""
    torch.set_num_threads(1)
    users, items = SIZES[n]
    base = status("VmRSS")
    draw = torch.Generator().manual_seed(0)
    rows = Rows(
        users=skewed(n, users, draw),
        items=skewed(n, items, draw),
        ratings=stars(n, draw),
        ts=torch.zeros((), dtype=torch.int64).expand(n),  # which no step reads
    )
    assert isinstance(RECIPE, Sgd)
    estimator = RECIPE.but(epochs=PASSES)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak starts here
    passes = list(timed(estimator.fit(rows, bare_context(0, users, items))))
    parameters = passes[-1][0].n_parameters
    held = (n * 12 + parameters * 4 * BUFFERS) / MIB
    return {
        "ratings": n,
        "batch_size": estimator.sized(users, items).batch_size,
        "seconds_per_million": median(seconds for _, seconds in passes) / n * 1e6,
        "held_mib": held,
        "peak_over_held": (status("VmHWM") - base) / held,
    }


def each_size() -> Iterator[dict[str, float]]:
    """Every size, measured in a process of its own."""
    for n in SIZES:
        command = [sys.executable, "-m", "benchmarks.growth", "--ratings", str(n)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        yield json.loads(done.stdout)


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description="How training time and memory grow.")
    parser.add_argument("--ratings", type=int, choices=list(SIZES), help="one size, as JSON")
    asked = parser.parse_args()
    if asked.ratings:
        sys.stdout.write(json.dumps(measure(asked.ratings)) + "\n")
        return
    for found in each_size():
        sys.stdout.write(
            f"{found['ratings']:>12,.0f} ratings: batch {found['batch_size']:,.0f}, "
            f"{found['seconds_per_million']:.2f} s per million, held {found['held_mib']:.0f} MiB, "
            f"peak {found['peak_over_held']:.2f} x that\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
