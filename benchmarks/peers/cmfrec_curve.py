"""cmfrec's alternating least squares on a dataset: error over CPU seconds, a line of JSON a fit.

    python -m benchmarks.peers.cmfrec_curve DATASET --iterations 2 3 4 6 10 --penalty 10
    python -m benchmarks.peers.cmfrec_curve DATASET --inner 400000 --iterations 6 --penalty 5

Its conjugate gradients with its own start, one thread, what only speeds up later predictions left
out. `--inner` sets so many training rows apart and measures on them, to choose the penalty.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cmfrec import CMF
from scipy.sparse import coo_matrix

Array = npt.NDArray[np.float32]
Part = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Array]


def main() -> None:
    """Fit for every number of iterations and print."""
    asked = arguments()
    train, valid = (read(asked.dataset, name) for name in ("train", "valid"))
    if asked.inner:
        order = np.random.default_rng(0).permutation(len(train[0]))
        held, kept = order[: asked.inner], order[asked.inner :]
        train, valid = ((train[0][at], train[1][at], train[2][at]) for at in (kept, held))
    for iterations in asked.iterations:
        record = measure(train, valid, asked, iterations)
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--iterations", type=int, nargs="+", default=[10])
    parser.add_argument("--penalty", type=float, default=10.0)
    parser.add_argument("--scaled", action="store_true", help="times the number of ratings")
    parser.add_argument("--factors", type=int, default=40)
    parser.add_argument("--inner", type=int, help="training rows to measure on")
    return parser.parse_args()


def read(dataset: Path, name: str) -> Part:
    """Users, items, ratings."""
    users, items, ratings = (
        np.load(dataset / f"{name}_{column}.npy") for column in ("users", "items", "ratings")
    )
    return users, items, ratings


def measure(
    train: Part, valid: Part, asked: argparse.Namespace, iterations: int
) -> dict[str, float]:
    """One fit: iterations, CPU seconds, mean squared error."""
    shape = (int(train[0].max()) + 1, int(train[1].max()) + 1)
    table = coo_matrix((train[2], train[:2]), shape=shape)
    started = time.process_time()
    model = CMF(
        k=asked.factors,
        method="als",
        use_cg=True,
        niter=iterations,
        lambda_=asked.penalty,
        scale_lam=asked.scaled,
        precompute_for_predictions=False,
        nthreads=1,
        random_state=0,
        verbose=False,
    ).fit(table)
    cpu_s = time.process_time() - started
    low, high = float(train[2].min()), float(train[2].max())
    scores = np.clip(np.asarray(model.predict(valid[0], valid[1]), np.float64), low, high)
    mse = float(np.mean((scores - valid[2]) ** 2))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"iterations": iterations, "cpu_s": cpu_s, "mse": mse, "peak_mib": peak_mib}


if __name__ == "__main__":
    main()
