"""Measure the peers: every model in its own processes, over the same rows, medians of the runs.

    python -m benchmarks.run_peers --data-dir DIR --env-dir DIR --repeats 3 --only Surprise

The data folder holds `train.csv` and `valid.csv` (user_id, movie_id, rating, ts, title),
`movies.csv` (movie_id, release_year, genres joined by `|`) and `users.csv` (user_id, age, gender,
occupation). A peer that cannot be installed or fails stays in the records, with the reason.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environments import PeerError, ensure_environment, last_line, output_of
from benchmarks.peers.table import PEERS, Peer

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("train", "valid", "movies", "users")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
RUN_LIMIT_S = 1800

Record = dict[str, Any]


def run_peers(
    data_dir: Path, env_dir: Path, repeats: int, only: set[str] | None = None, threads: int = 2
) -> list[Record]:
    """Return a record for each model of the peers asked for, in the order of the table."""
    unknown = (only or set()) - {peer.name for peer in PEERS}
    if unknown:
        raise ValueError(f"no such peer: {', '.join(sorted(unknown))}")
    records: list[Record] = []
    for peer in PEERS:
        if only is None or peer.name in only:
            records += run_peer(peer, data_dir, env_dir, repeats, threads)
    return records


def run_peer(peer: Peer, data_dir: Path, env_dir: Path, repeats: int, threads: int) -> list[Record]:
    """Return a record for each model of the peer."""
    try:
        python = ensure_environment(peer, env_dir)
    except PeerError as error:
        return [failure(peer, model, "not installed", error) for model in peer.models]
    records = []
    for model in peer.models:
        try:
            runs = [run_once(peer, model, python, data_dir, threads, i) for i in range(repeats)]
            records.append(summary(runs))
        except PeerError as error:
            records.append(failure(peer, model, "failed", error))
    return records


def run_once(
    peer: Peer, model: str, python: Path, data_dir: Path, threads: int, seed: int
) -> Record:
    """Measure one model in a process of its own; the load beforehand tells how quiet it was."""
    threads = min(threads, peer.max_threads or threads)
    tables = [f"--{table}={data_dir.resolve() / table}.csv" for table in TABLES]
    settings = [f"--model={model}", f"--threads={threads}", f"--seed={seed}"]
    command = [str(python), "-m", f"benchmarks.peers.{peer.script}", *tables, *settings]
    env = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    load = os.getloadavg()[0]
    printed = last_line(output_of(command, cwd=ROOT, env=env, timeout_s=RUN_LIMIT_S))
    try:
        record: Record = json.loads(printed)
    except json.JSONDecodeError as error:
        raise PeerError(f"no record, but: {printed}") from error
    return {**record, "total_s": record["fit_s"] + record["predict_s"], "load": load}


def summary(runs: list[Record]) -> Record:
    """Return the medians of the runs, and the runs themselves beside them."""
    figures = ("mse", "fit_s", "predict_s", "total_s")
    medians = {figure: median(run[figure] for run in runs) for figure in figures}
    each = [{figure: run[figure] for figure in (*figures, "load")} for run in runs]
    told = {name: runs[0][name] for name in ("peer", "model", "versions", "threads")}
    return {**told, "status": "ok", **medians, "runs": each}


def failure(peer: Peer, model: str, status: str, error: PeerError) -> Record:
    """Return the record of a model that could not be measured."""
    return {"peer": peer.name, "model": model, "status": status, "reason": str(error)}


def main() -> None:
    """Measure what the command line asks for, and print the records as JSON."""
    parser = argparse.ArgumentParser(description="Measure the peers.")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--env-dir", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="PEER")
    asked = parser.parse_args()
    only = set(asked.only) if asked.only else None
    records = run_peers(asked.data_dir, asked.env_dir, asked.repeats, only, asked.threads)
    sys.stdout.write(json.dumps(records, indent=2) + "\n")


if __name__ == "__main__":
    main()
