"""What a pipeline run came to, and how it is told on a terminal."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from collab.lake import Manifest
from collab.movielens.sources import Source
from collab.base.paths import data_dir
from collab.release.build import DATABASE
from collab.release.links import REPORT
from collab.release.snapshot import Snapshot
from collab.runs.run import Run

QUERIES = (
    "FROM leaderboard",
    "FROM movie_bias_named WHERE n_ratings >= 50 LIMIT 10",
    "FROM similar_movies('silence of the lambs', k := 5)",
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The committed results of one run of the pipeline, and which of them were made now."""

    source: Source
    lake: Manifest
    runs: list[Run]
    snapshot: Snapshot
    fetched: bool
    ingested: bool
    trained: int
    published: bool


def print_outcome(outcome: Outcome) -> None:
    """The leaderboard, what was done, where the tables are, and what to try next."""
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 100)
    console.print(leaderboard(outcome))
    console.print(done(outcome))
    serve = outcome.snapshot.folder.parent.parent
    number = f"snapshot {outcome.snapshot.seq:06d}"
    console.print(f"\nTables: [bold]{shown(serve / DATABASE)}[/bold] ({number})")
    console.print(f"Report: [bold]{shown(serve / REPORT)}[/bold]")
    console.print("Three queries to try:")
    for query in QUERIES:
        console.print(f"  {query};", style="cyan", markup=False)
    console.print(f'Run one with: {command(serve.parent)} sql "{QUERIES[0]}"', markup=False)


def command(data: Path) -> str:
    """How `collab` is called from here on a data folder."""
    name = shlex.quote(shown(Path(sys.executable).with_name("collab")))
    if data.resolve() == data_dir().root.resolve():
        return name
    return f"{name} --data-dir {shlex.quote(shown(data))}"


def shown(path: Path) -> str:
    """A path relative to the working directory where it lies below it, else as it is."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def leaderboard(outcome: Outcome) -> Table:
    """The runs, best first."""
    table = Table(title=f"{outcome.lake.edition}: {outcome.lake.counts['ratings']:,} ratings")
    for name in ("variant", "valid MSE", "RMSE", "MAE", "seconds", "device"):
        left = name in {"variant", "device"}
        table.add_column(name, justify="left" if left else "right", no_wrap=name == "variant")
    champion = outcome.snapshot.record["champion"]
    for run in sorted(outcome.runs, key=lambda run: float(run.record["mse"])):
        record = run.record
        errors = (f"{record[name]:.4f}" for name in ("mse", "rmse", "mae"))
        mark = " *" if run.run_id == champion else ""
        table.add_row(
            record["variant"] + mark, *errors, f"{record['seconds']:.1f}", record["device"]
        )
    table.caption = "* supplies bias, similarity and PCA"
    return table


def done(outcome: Outcome) -> str:
    """Which stages did something and which found it done."""
    total = len(outcome.runs)
    if not (outcome.fetched or outcome.ingested or outcome.trained or outcome.published):
        return "Nothing has changed: nothing fetched, parsed, trained or published again."
    parts = [
        f"fetched from {outcome.source.origin}" if outcome.fetched else "archive was there",
        "parsed and checked" if outcome.ingested else "Parquet was there",
        f"trained {outcome.trained} of {total} ({total - outcome.trained} were there)",
        "published" if outcome.published else "publication was there",
    ]
    return "Done: " + "; ".join(parts) + "."
