"""Measure the peers: every model in its own processes, over the same rows, medians of the runs.

    python -m benchmarks.run_peers --data-dir DIR --env-dir DIR --repeats 3 --only Surprise

The data folder holds `train.csv` and `valid.csv` (user_id, movie_id, item_id, rating, ts, title),
`movies.csv` (movie_id, item_id, release_year, genres joined by `|`) and `users.csv` (user_id, age,
gender, occupation, zip_code). A peer that cannot be installed or fails stays in the records, with
the reason.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environments import PeerError, ensure_environment, last_line, output_of
from benchmarks.peers.table import PEERS, Peer
from collab.base.paths import given_path

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("train", "valid", "movies", "users")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
RUN_LIMIT_S = 1800

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A model and the Python that measures it, or why there is none."""

    peer: Peer
    model: str
    python: Path | PeerError


def peer_places(env_dir: Path, only: set[str] | None = None) -> list[Place]:
    """Every model of the peers asked for; makes their environments.

    Raises:
        ValueError: a name is no peer's.
    """
    unknown = (only or set()) - {peer.name for peer in PEERS}
    if unknown:
        raise ValueError(f"no such peer: {', '.join(sorted(unknown))}")
    chosen = [peer for peer in PEERS if only is None or peer.name in only]
    return [place for peer in chosen for place in places_of(peer, env_dir)]


def places_of(peer: Peer, env_dir: Path) -> list[Place]:
    """The models of one peer."""
    try:
        python: Path | PeerError = ensure_environment(peer, env_dir)
    except PeerError as error:
        python = error
    return [Place(peer=peer, model=model, python=python) for model in peer.models]


def measure_places(
    places: list[Place], data_dir: Path, repeats: int, threads: int = 2
) -> list[Record]:
    """A record for each place, in order.

    Every model runs once before any runs again, so that a busy minute of the machine does not fall
    on one of them alone.
    """
    runs: dict[int, list[Record]] = {at: [] for at in range(len(places))}
    failed: dict[int, Record] = {}
    for seed in range(repeats):
        for at, place in enumerate(places):
            if at in failed:
                continue
            try:
                runs[at].append(run_once(place, data_dir, threads, seed))
            except PeerError as error:
                failed[at] = failure(place, error)
    return [failed.get(at) or summary(place, runs[at]) for at, place in enumerate(places)]


def run_once(
    place: Place, data_dir: Path, threads: int, seed: int, scores: Path | None = None
) -> Record:
    """Measure one model in a process of its own; the load beforehand tells how quiet it was.

    Args:
        place: the model, and the Python that measures it.
        data_dir: where the tables are.
        threads: at most.
        seed: the model's.
        scores: where the scores of the validation rows are kept, if anywhere.
    """
    peer, python = place.peer, place.python
    if isinstance(python, PeerError):
        raise python
    threads = min(threads, peer.max_threads or threads)
    tables = [f"--{table}={data_dir.resolve() / table}.csv" for table in TABLES]
    settings = [f"--model={place.model}", f"--threads={threads}", f"--seed={seed}"]
    settings += [f"--scores={scores}"] if scores else []
    command = [str(python), "-m", f"benchmarks.peers.{peer.script}", *tables, *settings]
    env = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    load = os.getloadavg()[0]
    printed = last_line(output_of(command, cwd=ROOT, env=env, timeout_s=RUN_LIMIT_S))
    try:
        record: Record = json.loads(printed)
    except json.JSONDecodeError as error:
        raise PeerError(f"no record, but: {printed}") from error
    return {**record, "total_s": record["fit_s"] + record["predict_s"], "load": load}


def summary(place: Place, runs: list[Record]) -> Record:
    """Return the medians of the runs, and the runs themselves beside them."""
    figures = ("mse", "fit_s", "predict_s", "total_s")
    medians = {figure: median(run[figure] for run in runs) for figure in figures}
    each = [{figure: run[figure] for figure in (*figures, "load")} for run in runs]
    kept = ("versions", "threads", "ranking")
    told: Record = {name: runs[0][name] for name in kept if name in runs[0]}
    return {
        "peer": place.peer.name,
        "model": place.model,
        **told,
        "status": "ok",
        **medians,
        "runs": each,
    }


def failure(place: Place, error: PeerError) -> Record:
    """The record of a model that could not be measured."""
    status = "not installed" if error is place.python else "failed"
    told = {"peer": place.peer.name, "model": place.model}
    return {**told, "status": status, "reason": str(error)}


def main() -> None:
    """Measure what the command line asks for, and print the records as JSON."""
    parser = argparse.ArgumentParser(description="Measure the peers.")
    parser.add_argument("--data-dir", type=given_path, required=True)
    parser.add_argument("--env-dir", type=given_path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="PEER")
    asked = parser.parse_args()
    only = set(asked.only) if asked.only else None
    places = peer_places(asked.env_dir, only)
    records = measure_places(places, asked.data_dir, asked.repeats, asked.threads)
    sys.stdout.write(json.dumps(records, indent=2) + "\n")


if __name__ == "__main__":
    main()
