"""Tables in windows of any width."""

import re

import pytest
from rich.cells import cell_len

from collab.cli import main, show
from collab.cli.app import command_names
from collab.cli.place import app
from collab.cli.show import Shown, print_columns
from tests.typed import Capture, cells, out

TABLES = {
    "leaderboard": "leaderboard",
    "history": "history",
    "similar": "similar 4",
    "bias": "bias",
    "examples": "examples",
    "compare": "compare dot_product_bias_wd embedding_nn",
    "predict": "predict 1 4",
    "sql": "sql FROM\tmovie_bias_named",
}
# no table, or other fixtures
ELSEWHERE = {"ask", "recommend", "diff", "status", "report", "snapshots", "rollback", "gc"}


def window(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(show, "width", lambda: columns)


def test_every_command_is_looked_at() -> None:
    assert command_names(app) == TABLES.keys() | ELSEWHERE


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("typed", TABLES.values())
def test_no_number_is_cut(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, typed: str, columns: int
) -> None:
    wide = {number for row in cells(out(capsys, *typed.split(" "))) for number in row}
    window(monkeypatch, columns)
    printed = out(capsys, *typed.split(" "))
    rows = cells(printed)
    drawn = [line for line in printed.splitlines() if line[0] in "│┃┏┡└"]
    assert max(map(cell_len, drawn)) <= columns
    numbers = {cell for row in rows for cell in row if re.fullmatch(r"[-+]?\d[\d,.]*%?", cell)}
    assert numbers
    assert numbers <= wide
    assert "…" not in printed


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize("columns", [40, 60, 80])
def test_runs_stay_distinguishable(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    window(monkeypatch, columns)
    runs = "SELECT run_id, valid_mse, variant FROM runs"
    printed = re.sub(r"[\s│]+", "", out(capsys, "sql", f"SELECT run_id FROM ({runs})"))
    for variant in ("dot_product_bias_wd", "embedding_nn"):
        assert f"ml-latest-small-{variant}-0123456789ab" in printed


def test_columns_are_dropped_from_the_right_and_named(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [
        Shown("title", ["Good, the Bad and the Ugly, The (1966)"] * 4),
        *(Shown(f"n{i}", ["1234567890"] * 4, number=True) for i in range(12)),
    ]
    window(monkeypatch, 60)
    print_columns("", columns)
    printed = capsys.readouterr().out
    assert cells(printed)[0] == ["Good, the Bad and", *["1234567890"] * 3]
    assert "No room for n3, n4, n5, n6, n7, n8, n9, n10 and 1 more." in printed


def test_a_head_is_folded_before_a_column_is_dropped(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [Shown("mean rating", ["4.25"], number=True), Shown("train seconds", ["1.0"], True)]
    window(monkeypatch, 20)
    print_columns("", columns)
    printed = capsys.readouterr().out
    assert "┃   mean ┃   train ┃" in printed
    assert "┃ rating ┃ seconds ┃" in printed


@pytest.mark.usefixtures("data_dir")
def test_a_row_of_many_columns_stands_upright(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    window(monkeypatch, 60)
    rows = dict(cells(out(capsys, "sql", "FROM publish_info")))
    assert rows["edition"] == "ml-latest-small"
    assert rows["as_of"] == "NULL"


@pytest.mark.usefixtures("data_dir")
def test_what_users_wrote_is_no_markup(capsys: Capture) -> None:
    query = "SELECT '[red]a[/red] :smile:' AS \"[bold]x\""
    printed = out(capsys, "sql", query)
    assert "[red]a[/red] :smile:" in printed
    assert "[bold]x" in printed
    assert main(["similar", "[/red]"]) == 1
    assert "'[/red]'" in capsys.readouterr().err


def test_a_dumb_terminal_is_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert show.console().is_dumb_terminal
    assert show.console().width == 120
