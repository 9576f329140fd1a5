"""How many training children are fastest on the CPU: the faithful variants, one or two at once.

`python -m benchmarks.children --archive ml-100k.zip` prints seconds for each choice of children and
threads, each measured a few times in turn.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.overhead import KIND, make_lake, seconds, train_all
from collab.base.paths import DataDir, given_path
from collab.dataset.protocols import Protocol
from collab.estimators.recipes import get_recipes
from collab.runs.devices import Slot

CHOICES = {  # children, threads of each
    "1 child, 1 thread": (1, 1),
    "1 child, 2 threads": (1, 2),
    "2 children, 1 thread each": (2, 1),
    "2 children, 2 threads each": (2, 2),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=given_path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variants", nargs="+", default=[KIND])
    given = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in CHOICES}
    with tempfile.TemporaryDirectory() as folder:
        lake = make_lake(given.archive, DataDir(Path(folder) / "lake"))
        for number in range(given.rounds):
            for name, (children, threads) in CHOICES.items():
                slots = [Slot(kind="cpu", index=i, threads=threads) for i in range(children)]
                data = DataDir(Path(folder) / f"{name}{number}")
                recipes = get_recipes(given.variants)
                spent = seconds(train_all, recipes, lake, Protocol(), data, slots)
                times[name].append(spent)
                sys.stdout.write(f"{name}: {spent:.1f} s\n")
                sys.stdout.flush()
    for name, values in times.items():
        shown = ", ".join(f"{value:.1f}" for value in values)
        sys.stdout.write(f"{name}: median {statistics.median(values):.1f} s of {shown}\n")


if __name__ == "__main__":
    main()
