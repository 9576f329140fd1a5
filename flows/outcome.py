"""What a pipeline run came to, and how it is told on a terminal."""

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collab.base.paths import data_dir
from collab.base.serving import DATABASE
from collab.cli.show import Shown, print_columns, say
from collab.evaluation.standings import Evaluation
from collab.release.links import REPORT
from flows.stages import Published, TakenIn
from tasks.train import Trained

QUERIES = (
    "FROM leaderboard",
    "FROM movie_bias_named WHERE n_ratings >= 50 LIMIT 10",
    "FROM similar_movies('silence of the lambs', k := 5)",
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The committed results of one run of the pipeline, stage by stage."""

    taken: TakenIn
    trained: Trained
    published: Published


def print_outcome(outcome: Outcome) -> None:
    """The leaderboard, what was done, where the tables are, and what to try next."""
    lake = outcome.taken.lake
    print_columns(f"{lake.edition}: {lake.counts['ratings']:,} ratings", leaderboard(outcome))
    say("* supplies bias, similarity and PCA   = does not differ from the first")
    for line in (*findings(outcome.published.evaluation), *left_out(outcome), done(outcome)):
        say(line)
    snapshot = outcome.published.snapshot
    serve = snapshot.folder.parent.parent
    number = f"snapshot {snapshot.seq:06d}"
    if snapshot.record.as_of:
        say(f"\nAs of {snapshot.record.as_of}, not served: {number}")
        say(f"Tables: {shown(snapshot.database)}")
        return
    say(f"\nTables: {shown(serve / DATABASE)} ({number})")
    say(f"Report: {shown(serve / REPORT)}")
    say("Three queries to try:")
    for query in QUERIES:
        say(f"  {query};")
    say(f'Run one with: {command(serve.parent.parent)} sql "{QUERIES[0]}"')


def findings(evaluation: Evaluation) -> Iterator[str]:
    """Whether the first place is shared, and what the champion recipe is expected to err."""
    shared = evaluation.shared
    if len(shared) > 1:
        yield f"The first place is shared by {len(shared)}: {', '.join(shared)}."
    champion = evaluation.champion
    name, n = champion.run.record.variant, len(champion.split_mses)
    spread = f" ± {champion.sd_mse:.4f} over {n} splits" if champion.sd_mse is not None else ""
    yield f"{name}: valid MSE {champion.mean_mse:.4f}{spread}; refitted on all ratings."


def left_out(outcome: Outcome) -> Iterator[str]:
    """What was left out, how it is not the declared set, and a report that failed."""
    for reason in outcome.published.snapshot.record.left_out:
        yield f"Left out: {reason}"
    if undeclared := outcome.published.snapshot.record.undeclared:
        yield f"Not the declared set, as is recorded: {'; '.join(undeclared)}."
    if any("--minutes" in reason for reason in outcome.trained.left_out):
        yield "For more raise --minutes, or take --variants all."
    if outcome.published.report_error:
        yield f"The tables are published, the report failed: {outcome.published.report_error}"


def command(data: Path) -> str:
    """How `collab` is called from here on a data folder."""
    name = shlex.quote(shown(Path(sys.executable).with_name("collab")))
    if data.resolve() == data_dir().root.resolve():
        return name
    return f"{name} --data-dir {shlex.quote(shown(data))}"


def shown(path: Path) -> str:
    """A path relative to the working directory where it lies below it, else as it is."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def leaderboard(outcome: Outcome) -> list[Shown]:
    """The columns of the runs, best first."""
    evaluation = outcome.published.evaluation
    runs = [
        (
            standing.run.record.variant + (" *" if standing is evaluation.champion else ""),
            f"{standing.run.record.mse:.4f}",
            f"{standing.behind.value:+.4f}{'' if standing.behind.differs else ' ='}",
            f"{standing.run.record.rmse:.4f}",
            f"{standing.run.record.mae:.4f}",
            f"{standing.run.record.seconds:.1f}",
            standing.run.record.device,
        )
        for standing in evaluation.standings
    ]
    heads = ("variant", "valid MSE", "behind", "RMSE", "MAE", "seconds", "device")
    return [
        Shown(head, [run[place] for run in runs], number=head not in {"variant", "device"})
        for place, head in enumerate(heads)
    ]


def done(outcome: Outcome) -> str:
    """Which stages did something and which found it done."""
    taken, trained, published = outcome.taken, outcome.trained, outcome.published
    made, total = trained.made + published.refitted, len(trained.runs) + 1
    fetched = taken.source.fetched_now
    if not (fetched or taken.ingested or made or published.made):
        return "Nothing has changed: nothing fetched, parsed, trained or published again."
    parts = [
        f"fetched from {taken.source.origin}" if fetched else "archive was there",
        "parsed and checked" if taken.ingested else "Parquet was there",
        f"trained {made} of {total} ({total - made} were there)",
        "published" if published.made else "publication was there",
    ]
    return "Done: " + "; ".join(parts) + "."
