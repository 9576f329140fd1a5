"""What differs: `compare` of two runs, `diff` of two publications."""

from pathlib import Path

from collab.base.errors import CollabError
from collab.changes import Change, Measure, compare_runs, publication_changes
from collab.cli.app import Count, shown
from collab.cli.place import Here, app
from collab.cli.show import print_table, say

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
MEASURED = {"change": "+.4f", "low": "+.4f", "high": "+.4f"}
COUNTED = {"change": "+.0f"}


@app.command(help_epilogue=shown("collab compare dot_product_bias_wd embedding_nn"))
def compare(a: str, b: str, /, *, place: Here) -> None:
    """Show two runs side by side, and how sure the difference of their errors is.

    judged_mse is the mean squared error on the rows that both were judged on; low and high are the
    ends of the 95 % interval of the difference, for which users are drawn anew a thousand times.

    Args:
        a: A variant of the leaderboard, or a run; see `collab history`.
        b: The other one.
    """
    found = compare_runs(place.con, a, b)
    numbers = dict.fromkeys((a, b if b != a else f"{b} again"), ".6g")
    columns = {"measure": "", **numbers, "difference": "+.6g", "low": "+.4f", "high": "+.4f"}
    rows = [(m.measure, m.a, m.b, m.b_minus_a, m.low, m.high) for m in found]
    print_table(f"{b} beside {a}", columns, rows)
    for line in verdict(found, a, b):
        say(line)


def verdict(found: list[Measure], a: str, b: str) -> list[str]:
    """What the interval says, or why there is none."""
    judged = next(measure for measure in found if measure.measure == "judged_mse")
    if judged.low is None or judged.high is None:
        return [f"No interval: {judged.reason}"]
    if judged.low <= 0 <= judged.high:
        return ["They do not differ: the 95 % interval holds zero."]
    better, worse = (b, a) if judged.high < 0 else (a, b)
    return [f"{better} errs less than {worse}: the 95 % interval excludes zero."]


@app.command(help_epilogue=shown("collab diff 41 42"))
def diff(before: Count | None = None, after: Count | None = None, /, *, place: Here) -> None:
    """Show what changed from one publication to another.

    Args:
        before: The earlier one's number; by default the one before the other.
        after: The later one's; by default what is served.
    """
    earlier, later = two_publications(place.folder, before, after)
    found = publication_changes(database(earlier), database(later))
    say(f"From publication {int(earlier.name)} to {int(later.name)}")
    for part, title in TITLES.items():
        if changes := found.of(part):
            print_changes(part, title, changes)
    unchanged = [part for part in TITLES if not found.of(part)]
    left_out = {line.split(":")[0] for line in found.left_out}
    if nothing := [part for part in unchanged if part not in left_out]:
        say(f"Unchanged: {', '.join(nothing)}")
    for line in found.left_out:
        say(f"Left out: {line}")


def print_changes(part: str, title: str, changes: list[Change]) -> None:
    """The table of one part, with the columns that say something."""
    values = {"error": MEASURED, "bias": COUNTED, "data": COUNTED}.get(part, {})
    name, was, now = HEADS.get(part, ("", "before", "after"))
    columns = {name: "", was: "", now: "", **values}
    rows = [(c.name, c.before, c.after, *(getattr(c, value) for value in values)) for c in changes]
    print_table(title, columns, rows)


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


def database(folder: Path) -> Path:
    """The tables of a publication."""
    return folder / "movielens.duckdb"
