"""Rows on the terminal: no number is ever cut, however narrow the window."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collab.cli.streams import write
from collab.cli.values import printable

UNLIMITED = 10_000  # columns of text, where nobody's window is too narrow
TEXT = 16  # columns that a text keeps, where a further column would leave it fewer
FEW = 3  # rows that are shown one value a line where their columns have no room
NAMED = 8  # of the columns that had no room
EDGE = 3  # columns of text between two cells


class Screen(Console):
    """Standard output of rich, which leaves a pipe that is closed to `app.run`."""

    def on_broken_pipe(self) -> None:
        """Go on with the error that is being handled."""
        raise


def console() -> Console:
    """Standard output; colours only on a terminal, no wrapping in a pipe, never markup."""
    return Screen(
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        width=width(),
        height=25,  # or the width of a dumb terminal would be 80
    )


def width() -> int:
    """How many columns of text there are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED


def say(text: str) -> None:
    """Print a line as it is, but for what would move the cursor."""
    write(printable(text) + "\n")


@dataclass(frozen=True)
class Shown:
    """A column as it is shown: its head, its cells, and whether they are numbers."""

    head: str
    cells: Sequence[str]
    number: bool = False

    def widest(self) -> int:
        """How wide it would like to be."""
        lines = (line for text in (self.head, *self.cells) for line in text.split("\n"))
        return max(1, *map(cell_len, lines))

    def narrowest(self) -> int:
        """How narrow it may be: numbers whole, a head by its words, texts may be folded."""
        head = max(map(cell_len, self.head.split()), default=1)
        if self.number:
            return max([head, *map(cell_len, self.cells)])
        return max(head, min(TEXT, self.widest()))

    def within(self, room: int) -> int:
        """How wide it is where each gets so much, and more only if it needs more."""
        return min(self.widest(), max(self.narrowest(), room))


def print_columns(title: str, columns: Sequence[Shown], hint: str = "A wider window") -> None:
    """Print a table; columns that have no room are dropped, from the right, and named.

    Args:
        title: stands above it.
        columns: the most important first.
        hint: what shows the rest.
    """
    shown = fitting(columns)
    if title:
        console().print(Text(printable(title), style="bold"))
    console().print(table(shown))
    if dropped := [column.head for column in columns[len(shown) :]]:
        more = f" and {len(dropped) - NAMED} more" if len(dropped) > NAMED else ""
        say(f"No room for {', '.join(dropped[:NAMED])}{more}. {hint} shows all.")


def print_records(columns: Sequence[Shown], hint: str) -> None:
    """Print rows of which not much is known: a few that have no room one value a line."""
    few = len(columns[0].cells) <= FEW and len(fitting(columns)) < len(columns)
    print_columns("", upright(columns) if few else columns, hint)


def fitting(columns: Sequence[Shown]) -> Sequence[Shown]:
    """The columns that have room, from the left, at least one."""
    for count in range(len(columns), 1, -1):
        if sum(column.narrowest() for column in columns[:count]) <= free(count):
            return columns[:count]
    return columns[:1]


def free(count: int) -> int:
    """How much room is left for the cells of so many columns."""
    return width() - EDGE * count - 1


def upright(columns: Sequence[Shown]) -> Sequence[Shown]:
    """The rows as a column of names and one of values, an empty line between two rows."""
    names: list[str] = []
    values: list[str] = []
    for row in zip(*(column.cells for column in columns), strict=True):
        names += ["", *(column.head for column in columns)] if names else [c.head for c in columns]
        values += ["", *row] if values else row
    return [Shown("column", names), Shown("value", values)]


def table(columns: Sequence[Shown]) -> Table:
    """The table, each column as wide as it likes, the widest as narrow as they must be."""
    room = free(len(columns))
    fair = max(room, 1)
    while fair > 1 and sum(column.within(fair) for column in columns) > room:
        fair -= 1
    made = Table()
    for column in columns:
        made.add_column(
            Text(column.head),
            justify="right" if column.number else "left",
            width=min(column.within(fair), max(room, 1)),
            overflow="fold",
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        made.add_row(*map(Text, row))
    return made
