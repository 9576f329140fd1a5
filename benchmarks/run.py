"""The benchmark: this project and its peers over the same rows of ml-100k.

    python -m benchmarks.run            # `make bench`: everything, medians of 3
    python -m benchmarks.run --quick    # `make bench-quick`: our variants and Surprise, once

Prints one table, and writes `benchmarks/results/<date>.json` and the plot beside it.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.export import export_split
from benchmarks.peers.table import Peer
from benchmarks.run_peers import Place, measure_places, peer_places
from benchmarks.show import plot, table
from collab.base.paths import given_path
from collab.base.terminal import terminal
from collab.estimators.recipes import RECIPES

# steps of a few hundred rows gain nothing from a second thread
OURS = Peer(name="collab", script="ours", requirements=(), models=tuple(RECIPES), max_threads=1)
RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """Measure, print, write; returns the exit code."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as name:
        rows = Path(name)
        export_split(rows, asked.data_dir, asked.archive)
        places = [Place(peer=OURS, model=m, python=Path(sys.executable)) for m in OURS.models]
        places += peer_places(asked.env_dir, {"Surprise"} if asked.quick else None)
        records = measure_places(places, rows, asked.repeats)
    result = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), **machine()}
    result["records"] = records
    terminal(120).print(table(result))
    write(result, quick=asked.quick)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure this project beside its peers.")
    parser.add_argument("--quick", action="store_true", help="our variants and Surprise only")
    parser.add_argument("--repeats", type=int, help="runs of each model (default: 3, quick: 1)")
    parser.add_argument(
        "--env-dir", type=given_path, default=Path(".bench"), help="peers' environments"
    )
    parser.add_argument("--data-dir", help="the project's data folder")
    parser.add_argument("--archive", help="ml-100k, if not from its sources")
    asked = parser.parse_args()
    asked.repeats = asked.repeats or (1 if asked.quick else 3)
    return asked


def machine() -> dict[str, Any]:
    """Where it was measured."""
    return {
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "processor": processor(),
        "python": platform.python_version(),
        "system": platform.system(),
        "load_at_end": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def write(result: dict[str, Any], *, quick: bool) -> None:
    """Keep the result as JSON and as a plot; a quick one does not replace a whole one."""
    RESULTS.mkdir(exist_ok=True)
    day = str(result["measured_at"])[:10] + ("-quick" if quick else "")
    text = json.dumps(result, indent=1) + "\n"
    (RESULTS / f"{day}.json").write_text(text, encoding="utf-8")
    plot(result, RESULTS / f"{day}.svg")
    sys.stdout.write(f"Written: {RESULTS / day}.json and .svg\n")


if __name__ == "__main__":
    sys.exit(main())
