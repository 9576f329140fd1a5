"""What orchestration costs: the pipeline against the same steps as plain functions.

`python -m benchmarks.overhead --archive ml-100k.zip` starts a server of its own on 127.0.0.1, does
each a few times in turn, in a fresh data folder and again where all is committed, which leaves the
orchestration alone, and prints seconds and, of the least disturbed of each, the difference.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from collab.base.paths import DataDir, given_path
from collab.dataset.build import make_dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe
from collab.estimators.recipes import get_recipes
from collab.evaluation.standings import evaluate, finalists
from collab.lake import Manifest, ingest
from collab.movielens.editions import ML_100K
from collab.movielens.sources import find_archive
from collab.release.publish import Release, publish
from collab.report import publish_report
from collab.runs.devices import Slot, cpu_slots
from collab.runs.launch import run_in_child
from collab.runs.record import Run
from collab.runs.spec import RunSpec
from deploy.place import HOST, Place
from deploy.processes import end, start
from deploy.serve import wait_until_healthy

KIND = "faithful"  # the variants of the chapter


def plain(archive: Path, data: DataDir) -> None:
    """Fetch, ingest, train on three splits, refit, publish and report without Prefect."""
    lake, slots, first = make_lake(archive, data), cpu_slots(), Protocol()
    runs = train_all(get_recipes([KIND]), lake, first, data, slots)
    best = [run.recipe for run in finalists(runs)]
    for protocol in first.others():
        runs += train_all(best, lake, protocol, data, slots)
    evaluation = evaluate(runs)
    champion = [evaluation.champion.run.recipe]
    (refit,) = train_all(champion, lake, Protocol(name="all"), data, slots)
    snapshot, _ = publish(Release(lake=lake, evaluation=evaluation, refit=refit), data)
    publish_report(snapshot)


def make_lake(archive: Path, data: DataDir) -> Manifest:
    """The archive as Parquet."""
    data.root.mkdir(parents=True, exist_ok=True)
    lake, _ = ingest(find_archive(ML_100K, data, archive=archive), data)
    return lake


def train_all(
    recipes: list[Recipe], lake: Manifest, protocol: Protocol, data: DataDir, slots: list[Slot]
) -> list[Run]:
    """Train recipes on one split, as many at once as there are slots."""
    dataset, _ = make_dataset(lake, protocol, data)

    def train(recipe: Recipe) -> Run:
        spec = RunSpec(dataset=dataset.path, runs=data.runs, recipe=recipe, seed=42, device="cpu")
        return run_in_child(spec, slots)[0]

    with ThreadPoolExecutor(max_workers=len(slots)) as pool:
        return list(pool.map(train, recipes))


def orchestrated(archive: Path, data: DataDir, place: Place) -> None:
    """The same as `python -m flows.pipeline` against a server that is there."""
    given = ["--archive", str(archive), "--data-dir", str(data.root), "--device", "cpu"]
    given += ["--variants", KIND]
    run(["-m", "flows.pipeline", *given], place)


def run(arguments: list[str], place: Place) -> None:
    """Run Python to a good end, in the environment of the server.

    The leases of devices lie in the temporary folder; one of our own leaves other pipelines of the
    machine out of it.
    """
    told = {**place.environment(), "TMPDIR": str(place.home)}
    subprocess.run([sys.executable, *arguments], env=told, check=True, capture_output=True)


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


def compare(archive: Path, rounds: int) -> None:
    """Time both in turn and print what came of it.

    Both start a Python of their own, so that imports count for both.
    """
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        place = Place(data=DataDir(home), home=home, port=4790, pool="none")
        at = ["--host", HOST, "--port", str(place.port)]
        server = start(["prefect", "server", "start", *at], home / "log", place.environment())
        try:
            wait_until_healthy(place, server)
            for number in range(rounds):
                data = DataDir(home / f"plain{number}")
                alone = ["-m", "benchmarks.overhead", "--archive", str(archive)]
                alone += ["--plain", str(data.root)]
                for state in ("fresh", "committed"):
                    times["plain", state].append(seconds(run, alone, place))
                data = DataDir(home / f"pipeline{number}")
                for state in ("fresh", "committed"):
                    spent = seconds(orchestrated, archive, data, place)
                    times["pipeline", state].append(spent)
        finally:
            end(server)
    for (name, state), values in times.items():
        shown = ", ".join(f"{value:.1f}" for value in values)
        sys.stdout.write(f"{name}, {state}: {shown}\n")
    for state in ("fresh", "committed"):
        cost = min(times["pipeline", state]) - min(times["plain", state])
        sys.stdout.write(f"orchestration, {state}: {cost:.1f} s\n")


def main() -> None:
    """Compare, or with --plain do the plain steps once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=given_path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plain", type=given_path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.plain:
        plain(given.archive, DataDir(given.plain))
    else:
        compare(given.archive, given.rounds)


if __name__ == "__main__":
    main()
