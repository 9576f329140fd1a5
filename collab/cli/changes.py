"""What differs: `compare` of two runs, `diff` of two publications."""

from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

from collab.base.errors import CollabError
from collab.base.serving import DATABASE
from collab.changes import Change, Measure, compare_runs, publication_changes
from collab.cli.app import Count, shown
from collab.cli.output import TERMINAL, Column, Out, Output
from collab.cli.place import Here, app
from collab.cli.rows import Rows

TITLES = {
    "publication": "Publications",
    "data": "Data",
    "champion": "Champion",
    "error": "Mean squared errors, stars squared",
    "bias": "Largest moves of bias: places among movies of at least 50 ratings",
    "neighbours": "Neighbours: of the ten most rated movies, among their ten nearest",
    "run": "Runs of the leaderboard",
}
HEADS = {"neighbours": ("movie", "went", "came")}
MEASURED = (Column("change", "+.4f"), Column("low", "+.4f"), Column("high", "+.4f"))
COUNTED = (Column("change", "+.0f"),)
NUMBERS = {"error": MEASURED, "bias": COUNTED, "data": COUNTED}


@app.command(
    help_epilogue=shown(
        "collab compare dot_product_bias_wd embedding_nn", "collab compare als bayesian_mf --json"
    )
)
def compare(a: str, b: str, /, *, out: Out = TERMINAL, place: Here) -> None:
    """Show two runs side by side, and how sure the difference of their errors is.

    judged_mse is the mean squared error on the rows that both were judged on; low and high are the
    ends of the 95 % interval of the difference, for which users are drawn anew a thousand times.

    Args:
        a: A variant of the leaderboard, or a run; see `collab history`.
        b: The other one.
    """
    found = compare_runs(place.con, a, b)
    columns = (
        Column("measure"),
        Column("a", ".6g", a),
        Column("b", ".6g", b),
        Column("b_minus_a", "+.6g", "difference"),
        Column("low", "+.4f"),
        Column("high", "+.4f"),
    )
    out.rows(rows_of(Measure, found), f"{b} beside {a}", columns)
    out.say(verdict(found, a, b))


def verdict(found: list[Measure], a: str, b: str) -> str:
    """What the interval says, or why there is none."""
    judged = next(measure for measure in found if measure.measure == "judged_mse")
    if judged.low is None or judged.high is None:
        return f"No interval: {judged.reason}"
    if judged.low <= 0 <= judged.high:
        return "They do not differ: the 95 % interval holds zero."
    better, worse = (b, a) if judged.high < 0 else (a, b)
    return f"{better} errs less than {worse}: the 95 % interval excludes zero."


@app.command(help_epilogue=shown("collab diff", "collab diff 41 42 --md"))
def diff(
    before: Count | None = None,
    after: Count | None = None,
    /,
    *,
    out: Out = TERMINAL,
    place: Here,
) -> None:
    """Show what changed from one publication to another.

    Args:
        before: The earlier one's number; by default the one before the other.
        after: The later one's; by default what is served.
    """
    earlier, later = two_publications(place.folder, before, after)
    found = publication_changes(earlier / DATABASE, later / DATABASE)
    if not out.for_eyes:
        out.rows(rows_of(Change, found.rows))
        return
    out.say(f"From publication {int(earlier.name)} to {int(later.name)}")
    for part in TITLES:
        show_changes(part, found.of(part), out)
    left_out = {line.split(":")[0] for line in found.left_out}
    if same := [part for part in TITLES if not found.of(part) and part not in left_out]:
        out.say(f"Unchanged: {', '.join(same)}")
    for line in found.left_out:
        out.say(f"Left out: {line}")


def show_changes(part: str, changes: list[Change], out: Output) -> None:
    """The table of one part, with the columns that say something."""
    if changes:
        heads = HEADS.get(part, ("", "before", "after"))
        texts = zip(("name", "before", "after"), heads, strict=True)
        columns = [*(Column(name, head=head) for name, head in texts), *NUMBERS.get(part, ())]
        out.rows(rows_of(Change, changes), TITLES[part], columns)


def rows_of(kind: type[Measure | Change], found: Sequence[Measure | Change]) -> Rows:
    """What was found as rows: numbers where a field may hold one, else text."""
    columns = {f.name: "DOUBLE" if "float" in str(f.type) else "VARCHAR" for f in fields(kind)}
    return Rows.of(columns, [astuple(one) for one in found])


def two_publications(serve: Path, before: int | None, after: int | None) -> tuple[Path, Path]:
    """The folders of two publications, as named or by default.

    Raises:
        CollabError: one is not there, or there is none before the other.
    """
    from collab.release.snapshot import current_snapshot, list_snapshots, numbered

    folders = {int(folder.name): folder for folder in numbered(serve / "snapshots")}
    there = ", ".join(map(str, sorted(folders, reverse=True))) or "none"
    current = current_snapshot(serve)
    if after is None:
        after = current.seq if current else max(folders, default=0)
    if before is None:
        fit = [s.seq for s in list_snapshots(serve) if not s.withdrawn and s.record.as_of is None]
        before = max((seq for seq in fit if seq < after), default=None)
    if before is None:
        raise CollabError(
            f"No publication comes before {after}; there are: {there}. Publish once more, or name "
            "two of them."
        )
    for seq in (before, after):
        if seq not in folders:
            raise CollabError(
                f"There is no publication {seq}; there are: {there}. See `collab snapshots`."
            )
    return folders[before], folders[after]
