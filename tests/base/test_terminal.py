"""What users call their files stands on the terminal as they call it."""

import re
from pathlib import Path

import pytest
from rich.table import Table

import collab
from collab.base.terminal import terminal

ROOT = Path(collab.__file__).parents[1]


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    odd = "/tmp/work [x]/[bold]a[/bold]/:cat:/[/red]"  # noqa: S108
    table = Table()
    table.add_column(odd)
    table.add_row(odd)
    console = terminal(200)
    console.print(f"Report: {odd}")
    console.print(table)
    assert capsys.readouterr().out.count(odd) == 3


def test_there_is_no_other_console_for_standard_output() -> None:
    made = {
        str(path.relative_to(ROOT)): found
        for folder in ("collab", "tasks", "flows", "deploy", "benchmarks", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        for found in re.findall(r"\bConsole\((.*)", path.read_text(encoding="utf-8"))
    }
    assert made.pop("collab/base/terminal.py") == ""
    assert made == {"collab/movielens/download.py": "stderr=True)"}, "the bar of a download"
