"""What each stage costs at a size, each in a process of its own, beside what DuckDB alone takes.

    python -m benchmarks.scale --ratings 2000000
    python -m benchmarks.scale --edition ml-10m --archive ml-10m.zip --stages ingest,dataset,train

Without an archive one is made up, in ml-32m's layout. Prints a Markdown table: wall seconds, CPU
seconds (user and system, of the process and its children), the peak memory of the process, and both
for a million ratings. The raw limit is DuckDB's COPY of the unzipped ratings to Parquet, with its
own settings and with zstd. Imports are not counted, but for the third of a GiB that they hold.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.archive import write_archive
from collab.base.database import open_database
from collab.base.machine import peak_memory_mib
from collab.base.paths import DataDir, given_path
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.estimators.recipes import get_recipes
from collab.evaluation.standings import evaluate
from collab.lake import Manifest, find_manifest, ingest
from collab.movielens.editions import get_edition
from collab.movielens.layouts import Member, layout_of
from collab.movielens.members import Members
from collab.movielens.read import csv_query
from collab.movielens.sources import Source, find_archive
from collab.release.publish import Release, publish
from collab.release.remembered import all_runs
from collab.runs.record import Run, load_run
from collab.runs.spec import RunSpec
from collab.runs.train import train_run

STAGES = ("ingest", "dataset", "train", "publish")
VARIANTS = "bias_only,fast_dot_product_bias_wd"
EVERY = Protocol(name="all")

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the stages work on: a data folder, an edition, its archive."""

    data: DataDir
    edition: str
    archive: Path

    @property
    def source(self) -> Source:
        """The archive, taken on trust."""
        edition = get_edition(self.edition)
        return find_archive(edition, self.data, archive=self.archive, trust=True)

    @property
    def ratings(self) -> Member:
        """The member that is large."""
        return layout_of(get_edition(self.edition)).ratings

    @property
    def unzipped(self) -> Path:
        """Where it lies for the raw limit."""
        return self.data.root / "raw" / self.ratings.name

    @property
    def lake(self) -> Manifest:
        """The ratings, taken in."""
        return find_manifest(self.data, self.edition)

    def dataset(self, protocol: Protocol) -> Dataset:
        """The ratings cut."""
        return make_dataset(self.lake, protocol, self.data)[0]

    def runs(self) -> list[Run]:
        """Those on the split."""
        return [run for run in all_runs(self.data) if run.record.n_valid]


def unzip(place: Place) -> None:
    """Lay the ratings where the raw limit reads them; not measured."""
    place.unzipped.parent.mkdir(parents=True, exist_ok=True)
    members = Members.of(place.archive, get_edition(place.edition))
    with members.opened(place.ratings) as source, place.unzipped.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def raw(place: Place, compression: str) -> Record:
    """DuckDB's own copy of the text to Parquet."""
    query = csv_query(place.ratings, place.unzipped, place.ratings.columns)
    with open_database() as con:
        copied = f"{place.unzipped}.parquet"
        con.execute(f"COPY ({query}) TO '{copied}' (FORMAT parquet, COMPRESSION {compression})")
    return {}


def take_in(place: Place, _: str) -> Record:
    """Archive to Parquet, its checksum and all checks."""
    ingest(place.source, place.data, force=True)
    return {}


def cut(place: Place, name: str) -> Record:
    """Parquet to arrays."""
    make_dataset(place.lake, Protocol(name=name), place.data, force=True)
    return {}


def train(place: Place, variant: str) -> Record:
    """Arrays to a run folder, by one thread."""
    return trained(place, place.dataset(Protocol()), variant)


def refit(place: Place, _: str) -> Record:
    """The champion on all ratings."""
    champion = evaluate(place.runs()).champion.run
    return trained(place, place.dataset(EVERY), champion.recipe.name)


def trained(place: Place, dataset: Dataset, variant: str) -> Record:
    """A run, and what is to be said of it."""
    import torch

    torch.set_num_threads(1)
    (recipe,) = get_recipes([variant])
    spec = RunSpec(dataset=dataset.path, runs=place.data.runs, recipe=recipe, seed=42, device="cpu")
    train_run(spec, force=True)
    record = load_run(spec.folder).record
    error = variant if record.mse is None else f"MSE {record.mse:.4f}"
    return {"notes": f"{error}, opened in {record.stages['load']['seconds']:.2f} s"}


def release(place: Place, _: str) -> Record:
    """Run folders to the flipped link."""
    evaluation = evaluate(place.runs())
    (refitted,) = (run for run in all_runs(place.data) if not run.record.n_valid)
    publish(Release(lake=place.lake, evaluation=evaluation, refit=refitted), place.data)
    return {}


PARTS = {
    "raw": raw,
    "ingest": take_in,
    "dataset": cut,
    "train": train,
    "refit": refit,
    "publish": release,
}


def measured(part: str, place: Place, what: str) -> Record:
    """The figures of a part, in this process."""
    start, cpu = time.perf_counter(), cpu_seconds()
    found = PARTS[part](place, what)
    wall, used = time.perf_counter() - start, cpu_seconds() - cpu
    return {"wall": wall, "cpu": used, "mib": peak_memory_mib(), **found}


def cpu_seconds() -> float:
    """User and system time of this process and of its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def parts_of(stages: list[str], variants: list[str]) -> Iterator[tuple[str, str]]:
    """What is measured, in turn, and of what."""
    if "ingest" in stages:
        yield from (("ingest", ""), ("raw", "snappy"), ("raw", "zstd"))
    if "dataset" in stages:
        yield "dataset", "random"
    if "train" in stages:
        yield from (("train", variant) for variant in variants)
    if "publish" in stages:
        yield from (("dataset", "all"), ("refit", ""), ("publish", ""))


def in_process(part: str, place: Place, what: str) -> Record:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--one", part, "--what", what]
    command += ["--edition", place.edition, "--archive", str(place.archive)]
    command += ["--data-dir", str(place.data.root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: Record = json.loads(done.stdout.splitlines()[-1])
    return figures


def row(part: str, what: str, figures: Record, ratings: int) -> str:
    """A line of the table."""
    millions = ratings / 1e6
    cells = [f"{part} {what}".strip(), *(f"{figures[name]:.1f}" for name in ("wall", "cpu"))]
    cells += [f"{figures['mib'] / 1024:.2f}", f"{figures['cpu'] / millions:.2f}"]
    cells += [f"{figures['mib'] / millions:.0f}", figures.get("notes", "")]
    return f"| {' | '.join(cells)} |\n"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="What each stage costs at a size.")
    parser.add_argument("--edition", default="ml-32m", help="whose layout the archive has")
    parser.add_argument("--archive", type=given_path, help="by default one is made up")
    parser.add_argument("--ratings", type=int, default=2_000_000, help="of the one made up")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--variants", default=VARIANTS)
    parser.add_argument("--data-dir", type=given_path, help="by default one that is removed")
    parser.add_argument("--one", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--what", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Print the table, a line as soon as it is known."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as folder:
        root = asked.data_dir or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        archive = asked.archive or write_archive(root / "made-up.zip", asked.ratings)
        edition = asked.edition if asked.archive else "ml-32m"
        place = Place(data=DataDir(root), edition=edition, archive=archive)
        if asked.one:
            sys.stdout.write(json.dumps(measured(asked.one, place, asked.what)) + "\n")
            return
        show(place, asked.stages.split(","), asked.variants.split(","))


def show(place: Place, stages: list[str], variants: list[str]) -> None:
    """Measure and print."""
    names = ("stage", "wall s", "CPU s", "peak GiB", "CPU s a million", "MiB a million", "")
    sys.stdout.write(f"| {' | '.join(names)} |\n|---|{'--:|' * 5}---|\n")
    unzip(place)
    if "ingest" not in stages:
        ingest(place.source, place.data)
    for part, what in parts_of(stages, variants):
        figures = in_process(part, place, what)
        sys.stdout.write(row(part, what, figures, place.lake.counts["ratings"]))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
