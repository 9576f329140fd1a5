"""How long publishing takes: `python -m benchmarks.publish [--only WHAT] [--faiss PYTHON]`

Figures, each measured in a process of its own on made-up data: the exact neighbours of 87,585 items
by 50 factors, the same by 32 draws of 32 factors, and whole publications from run folders to the
flipped link, their reports, and the queries that analysts wait for (median of seven on a warm
connection, and the first on a cold one). `--faiss` names a Python that has faiss-cpu, to measure
its flat index on the same numbers.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

import duckdb
import numpy as np

from benchmarks.synthetic import SIZES, make_edition
from collab.base.database import open_database
from collab.base.machine import peak_memory_mib
from collab.base.paths import DataDir
from collab.release.room import TABLE_SECONDS

T = TypeVar("T")

WHAT = ("neighbors", "posterior", *SIZES)
ITEMS, FACTORS, NEIGHBORS = 87_585, 50, 20
DRAWS, WIDTH = range(32), 32
QUERIES = {
    "find_movie": "FROM find_movie('movie {}')",
    "similar_movies": "FROM similar_movies('movie {}')",
    "recommend": "FROM recommend({})",
}
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
    from collab.release.similarity import similarity_table

    torch.set_num_threads(threads)
    made: dict[str, np.ndarray] = {}
    exec(MATRIX, made)  # noqa: S102
    ids = np.arange(1, ITEMS + 1, dtype=np.int32)
    found = Learnt(ids=ids, factors=made["x"], bias=np.zeros(ITEMS, dtype=np.float32))
    similarity_table(Learnt(ids=ids[:99], factors=made["x"][:99], bias=found.bias[:99]))
    before, start, cpu = peak_memory_mib(), time.perf_counter(), time.process_time()
    table = similarity_table(found, k=NEIGHBORS)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    assert len(table) == ITEMS * NEIGHBORS
    return {"seconds": seconds, "cpu_seconds": used, "mib": peak_memory_mib() - before}


def posterior(threads: int) -> dict[str, float]:
    """Neighbours by draws; memory is what came on top of the draws and the libraries."""
    import torch

    from collab.release.interpret import Learnt
    from collab.release.posterior import Draws, posterior_similarity

    torch.set_num_threads(threads)
    draw = torch.Generator().manual_seed(0)
    middle = torch.randn(ITEMS, WIDTH, generator=draw) * torch.linspace(2, 0.1, WIDTH)
    items = [middle + torch.randn(middle.shape, generator=draw) / 2 for _ in DRAWS]
    units = tuple(torch.nn.functional.normalize(rows, dim=1) for rows in items)
    lengths = torch.stack([rows.norm(dim=1) for rows in items])
    nothing = torch.zeros(len(DRAWS), 1)
    draws = Draws(units=units, lengths=lengths, item_bias=nothing, user_bias=nothing)
    ids = np.arange(1, ITEMS + 1, dtype=np.int32)
    found = Learnt(ids=ids, factors=middle.numpy(), bias=np.zeros(ITEMS, dtype=np.float32))
    figures, table = measured(lambda: posterior_similarity(draws, found))
    assert len(table) == ITEMS * NEIGHBORS
    return figures


def publication(edition: str, threads: int, table_seconds: float) -> dict[str, float]:
    """From committed folders to the flipped link, then the report and the queries."""
    import torch

    from collab.release.publish import publish
    from collab.report import publish_report

    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        data = DataDir(Path(folder))
        release = make_edition(data, edition)
        figures, (snapshot, _) = measured(
            lambda: publish(release, data, table_seconds=table_seconds)
        )
        report, _ = measured(lambda: publish_report(snapshot))
        return {
            **figures,
            "file_mib": snapshot.database.stat().st_size / 2**20,
            "report_cpu_seconds": report["cpu_seconds"],
            "report_kib": (snapshot.folder / "report.html").stat().st_size / 1024,
            **queried(snapshot.database),
        }


def measured(what: Callable[[], T]) -> tuple[dict[str, float], T]:
    """Seconds, CPU seconds and what memory peaks at above what was held, and the result."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak starts here
    held, start, cpu = peak_memory_mib(), time.perf_counter(), time.process_time()
    result = what()
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "held_mib": held,
        "mib": peak_memory_mib() - held,
    }, result


def queried(database: Path) -> dict[str, float]:
    """Milliseconds of each query: the median of seven, and the first of a new connection."""
    told = {}
    with open_database(database, read_only=True) as con:
        for name, query in QUERIES.items():
            took = [asked(con, query.format(number)) for number in (55, 123, 87, 801, 4, 777, 912)]
            told[f"{name}_ms"] = median(took)
    for name, query in QUERIES.items():
        with open_database(database, read_only=True) as con:
            told[f"{name}_cold_ms"] = asked(con, query.format(345))
    return told


def asked(con: duckdb.DuckDBPyConnection, query: str) -> float:
    """Milliseconds until all rows are there."""
    start = time.perf_counter()
    assert con.execute(query).fetchall()
    return (time.perf_counter() - start) * 1000


def in_process(what: str, given: argparse.Namespace) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.publish", "--one", what]
    command += ["--threads", str(given.threads), "--table-seconds", str(given.table_seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def faiss_flat(python: str, threads: int) -> dict[str, float]:
    """The flat index of faiss on the same matrix."""
    command = [python, "-c", MATRIX + FAISS, str(threads), str(NEIGHBORS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, used = (float(text) for text in done.stdout.split())
    return {"seconds": seconds, "cpu_seconds": used}


def one(what: str, given: argparse.Namespace) -> dict[str, float]:
    """One measurement in this process."""
    if what == "neighbors":
        return neighbors(given.threads)
    if what == "posterior":
        return posterior(given.threads)
    return publication(what, given.threads, given.table_seconds)


def line(what: str, figures: dict[str, float]) -> str:
    """Figures for a terminal."""
    told = [f"{figures['seconds']:7.2f} s", f"{figures['cpu_seconds']:7.2f} s of CPU"]
    rest = figures.keys() - {"seconds", "cpu_seconds"}
    told += [f"{name} {figures[name]:,.1f}" for name in figures if name in rest]
    return f"{what:24} {'  '.join(told)}\n"


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--faiss", metavar="PYTHON")
    parser.add_argument("--only", choices=WHAT, nargs="+", default=WHAT, help="these figures")
    parser.add_argument("--table-seconds", type=float, default=TABLE_SECONDS)
    parser.add_argument("--one", choices=WHAT, help="one figure, as JSON")
    given = parser.parse_args()
    if given.one:
        sys.stdout.write(json.dumps(one(given.one, given)) + "\n")
        return
    if given.faiss:
        sys.stdout.write(line("neighbors (faiss flat)", faiss_flat(given.faiss, given.threads)))
    for what in given.only:
        sys.stdout.write(line(what, in_process(what, given)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
