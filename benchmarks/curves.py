"""Which wins where: error over CPU seconds of `als`, wide-batch SGD and cmfrec's ALS, one thread.

    python -m benchmarks.curves --edition ml-10m --archive ml-10m.zip --env-dir ENVIRONMENTS

Each in a process of its own, one after the other. CPU seconds are those of learning, user and
system; loading and predicting are not counted. `als` is followed by its draws, then by the spread
of every validation row. cmfrec is fitted anew for every number of iterations; its penalty was
chosen on training rows of ml-10m by `--inner` of its script. Prints Markdown.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from benchmarks.environments import PeerError, ensure_environment, output_of
from benchmarks.peers.table import PEERS
from benchmarks.run_peers import ROOT, THREAD_VARIABLES
from collab.base.machine import peak_memory_mib
from collab.base.paths import given_path, writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import load_dataset
from collab.dataset.protocols import Protocol
from collab.dataset.rows import Rows
from collab.estimators.als import Alternated
from collab.estimators.api import Context
from collab.estimators.recipes import RECIPES
from collab.lake import ingest
from collab.movielens.editions import get_edition
from collab.movielens.sources import find_archive
from collab.runs.errors import measure

MODELS = ("als", "fast_dot_product_bias_wd")
ITERATIONS = (2, 3, 4, 6, 10)

Line = tuple[str, float, float | None, float]


def main() -> int:
    """Measure and print; returns the exit code."""
    asked = arguments()
    data = writable_data_dir(asked.data_dir)
    edition = get_edition(asked.edition)
    lake, _ = ingest(find_archive(edition, data, archive=asked.archive, trust=True), data)
    dataset, _ = make_dataset(lake, Protocol(), data)
    sys.stdout.write("| model | after | CPU s | MSE | peak MiB |\n|---|---|--:|--:|--:|\n")
    for model in asked.models:
        show(model, in_a_process(dataset.path, model))
    if asked.env_dir:
        show("cmfrec ALS-CG", of_cmfrec(dataset.path, asked.env_dir, asked.cmfrec))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Error over CPU seconds.")
    parser.add_argument("--edition", default="ml-1m")
    parser.add_argument("--archive", help="if not from its sources; taken as it is")
    parser.add_argument("--data-dir", help="the project's data folder")
    parser.add_argument("--models", nargs="*", default=MODELS, choices=tuple(RECIPES))
    parser.add_argument(
        "--env-dir", type=given_path, help="of the peers' environments; or no cmfrec"
    )
    parser.add_argument("--cmfrec", default="--penalty 0.05 --scaled", help="options of its script")
    return parser.parse_args()


def show(model: str, lines: list[Line]) -> None:
    """Rows of the table."""
    for after, cpu_s, mse, peak in lines:
        error = "" if mse is None else f"{mse:.4f}"
        sys.stdout.write(f"| {model} | {after} | {cpu_s:.2f} | {error} | {peak:.0f} |\n")
    sys.stdout.flush()


def in_a_process(folder: Path, model: str) -> list[Line]:
    """Measure in a process of its own, whose memory is the model's."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(curve, folder, model).result()


def curve(folder: Path, model: str) -> list[Line]:
    """CPU seconds of learning so far and the error, after every pass; then what als says of it."""
    torch.set_num_threads(1)
    dataset, spent = load_dataset(folder), 0.0
    lines: list[Line] = []
    valid, context = dataset.valid(), Context.of(dataset, 0, torch.device("cpu"))
    fits = RECIPES[model].estimator.fit(dataset.train(), context)
    while True:
        started = time.process_time()
        fitted = next(fits, None)
        spent += time.process_time() - started
        if fitted is None:
            break
        errors = measure(fitted.predict(valid), valid.ratings)
        assert errors
        lines.append((f"pass {len(lines) + 1}", spent, errors.mse, peak_memory_mib()))
        last = fitted
    return lines + (uncertainty(last, valid, spent) if isinstance(last, Alternated) else [])


def uncertainty(fitted: Alternated, valid: Rows, spent: float) -> list[Line]:
    """CPU seconds so far with the draws, and with the spread of every validation row."""
    started = time.process_time() - spent
    draws = len(fitted.posterior.users)
    drawn = (f"{draws} draws", time.process_time() - started, None, peak_memory_mib())
    fitted.spread(valid)
    return [drawn, ("spread", time.process_time() - started, None, peak_memory_mib())]


def of_cmfrec(folder: Path, env_dir: Path, options: str) -> list[Line]:
    """A fit for every number of iterations, in the peer's environment; none where it fails."""
    (peer,) = (peer for peer in PEERS if peer.name == "cmfrec")
    numbers = [str(number) for number in ITERATIONS]
    script = ["-m", "benchmarks.peers.cmfrec_curve", str(folder.resolve())]
    try:
        python = str(ensure_environment(peer, env_dir))
        env = os.environ | dict.fromkeys(THREAD_VARIABLES, "1")
        command = [python, *script, *options.split(), "--iterations", *numbers]
        printed = output_of(command, cwd=ROOT, env=env)
    except PeerError as error:
        sys.stderr.write(f"cmfrec was not measured: {error}\n")
        return []
    records = [json.loads(line) for line in printed.splitlines()]
    return [(f"{r['iterations']} iterations", r["cpu_s"], r["mse"], r["peak_mib"]) for r in records]


if __name__ == "__main__":
    sys.exit(main())
