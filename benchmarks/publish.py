"""How long publishing takes: `python -m benchmarks.publish [--faiss PYTHON]`

Figures, each measured in a process of its own on made-up data: the exact neighbours of 87,585 items
by 50 factors, and whole publications from run folders to the flipped link. `--faiss` names a Python
that has faiss-cpu, to measure its flat index on the same numbers.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.synthetic import SIZES, make_edition
from collab.base.machine import peak_memory_mib
from collab.base.paths import DataDir

ITEMS, FACTORS, NEIGHBORS = 87_585, 50, 20
# the same numbers for both: directions of uneven weight, as trained factors have them
MATRIX = f"""
import numpy as np
random = np.random.default_rng(0)
scale = np.linspace(2, 0.1, {FACTORS}, dtype=np.float32)
x = random.standard_normal(({ITEMS}, {FACTORS}), dtype=np.float32) * scale
"""
FAISS = """
import sys, time, faiss
threads, k = int(sys.argv[1]), int(sys.argv[2])
faiss.omp_set_num_threads(threads)
faiss.normalize_L2(x)
start, cpu = time.perf_counter(), time.process_time()
index = faiss.IndexFlatIP(x.shape[1])
index.add(x)
index.search(x, k + 1)
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def neighbors(threads: int) -> dict[str, float]:
    """Exact neighbours; memory is what came on top of the inputs and the libraries."""
    import torch

    from collab.release.interpret import Learnt
    from collab.release.neighbors import similarity_table

    torch.set_num_threads(threads)
    made: dict[str, np.ndarray] = {}
    exec(MATRIX, made)  # noqa: S102
    ids = np.arange(1, ITEMS + 1, dtype=np.int32)
    found = Learnt(ids=ids, factors=made["x"], bias=np.zeros(ITEMS, dtype=np.float32))
    similarity_table(Learnt(ids=ids[:99], factors=made["x"][:99], bias=found.bias[:99]))
    before, start, cpu = peak_memory_mib(), time.perf_counter(), time.process_time()
    table = similarity_table(found, NEIGHBORS)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    assert len(table) == ITEMS * NEIGHBORS
    return {"seconds": seconds, "cpu_seconds": used, "mib": peak_memory_mib() - before}


def publication(edition: str, threads: int) -> dict[str, float]:
    """From committed folders to the flipped link."""
    import torch

    from collab.release.publish import publish

    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        data = DataDir(Path(folder))
        release = make_edition(data, edition)
        start, cpu = time.perf_counter(), time.process_time()
        snapshot, _ = publish(release, data)
        seconds, used = time.perf_counter() - start, time.process_time() - cpu
        size = snapshot.database.stat().st_size / 2**20
    return {"seconds": seconds, "cpu_seconds": used, "mib": peak_memory_mib(), "file_mib": size}


def in_process(what: str, threads: int) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.publish", "--one", what]
    command += ["--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def faiss_flat(python: str, threads: int) -> dict[str, float]:
    """The flat index of faiss on the same matrix."""
    command = [python, "-c", MATRIX + FAISS, str(threads), str(NEIGHBORS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, used = (float(text) for text in done.stdout.split())
    return {"seconds": seconds, "cpu_seconds": used}


def line(what: str, figures: dict[str, float]) -> str:
    """Figures for a terminal."""
    told = [f"{figures['seconds']:7.2f} s", f"{figures['cpu_seconds']:7.2f} s of CPU"]
    told += [f"{name} {figures[name]:,.0f}" for name in ("mib", "file_mib") if name in figures]
    return f"{what:24} {'  '.join(told)}\n"


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--faiss", metavar="PYTHON")
    parser.add_argument("--one", choices=["neighbors", *SIZES], help="one figure, as JSON")
    given = parser.parse_args()
    if given.one:
        one = given.one
        made = neighbors(given.threads) if one == "neighbors" else publication(one, given.threads)
        sys.stdout.write(json.dumps(made) + "\n")
        return
    if given.faiss:
        sys.stdout.write(line("neighbors (faiss flat)", faiss_flat(given.faiss, given.threads)))
    for what in ("neighbors", *SIZES):
        sys.stdout.write(line(what, in_process(what, given.threads)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
