"""In which form a command gives its rows: for eyes, or for another program."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import CycloptsError, Group, Parameter

from collab.base.paths import given_path
from collab.cli.formats import write_csv, write_json, write_markdown, write_parquet
from collab.cli.rows import Rows
from collab.cli.show import Shown, print_columns, print_records, say
from collab.cli.values import cell

WIDER = "A wider window or --md"


@dataclass(frozen=True)
class Column:
    """A column as a command shows it.

    name: in the rows.
    form: its format, such as `.4f`; what has one stands to the right, as numbers do.
    head: what stands above it, where that is not its name.
    """

    name: str
    form: str = ""
    head: str | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """The form of the rows, as named on the command line; by default a table for eyes."""

    json: bool = False
    """All rows as JSON, with every digit."""
    csv: bool = False
    """All rows as CSV, with every digit."""
    md: bool = False
    """All rows as a Markdown table, rounded."""
    parquet: Path | None = None
    """All rows into this Parquet file."""

    def __post_init__(self) -> None:
        """Refuse several forms at once."""
        if sum((self.json, self.csv, self.md, self.parquet is not None)) > 1:
            raise CycloptsError(msg="Choose one of --json, --csv, --md and --parquet.")

    @property
    def for_eyes(self) -> bool:
        """Whether someone reads it on a terminal."""
        return not (self.json or self.csv or self.md or self.parquet)

    def rows(self, rows: Rows, title: str = "", columns: Sequence[Column] | None = None) -> None:
        """Give the rows. Other programs get all their columns under their own names.

        Args:
            rows: what was found.
            title: stands above the table on a terminal.
            columns: those shown to eyes, the most important first: where the window is narrow the
                last are dropped. By default all.
        """
        if self.json:
            write_json(rows.bare())
        elif self.csv:
            write_csv(rows.bare())
        elif self.parquet:
            write_parquet(rows.bare(), given_path(self.parquet))
        else:
            shown = as_shown(rows, columns)
            if self.md:
                write_markdown(shown)
            elif columns is None:
                print_records(shown, WIDER)
            else:
                print_columns(title, shown, WIDER)

    def say(self, text: str) -> None:
        """A line beside the rows, which only eyes get."""
        if self.for_eyes:
            say(text)


TERMINAL = Output()  # the default, where a command takes one
Out = Annotated[Output, Parameter(name="*", group=Group("Output options", sort_key=10))]


def as_shown(rows: Rows, columns: Sequence[Column] | None) -> list[Shown]:
    """The columns as they are shown; NULL is named only where any query may have found it.

    Remarks, a column without a head, are left out where there are none.
    """
    null = "NULL" if columns is None else ""
    numbers = rows.numbers()
    places = {name: place for place, name in enumerate(rows.names)}
    values = list(rows.values)
    shown = [
        Shown(
            head=column.name if column.head is None else column.head,
            cells=[cell(row[places[column.name]], column.form, null) for row in values],
            number=bool(column.form) or numbers[column.name],
        )
        for column in columns or map(Column, rows.names)
    ]
    return [column for column in shown if column.head or any(column.cells)]
