"""The forms of the rows that every command has."""

import csv
import io
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from collab.cli import main
from collab.cli.app import command_names, option_names
from collab.cli.output import Column, Output
from collab.cli.place import app
from collab.cli.rows import Rows
from collab.cli.values import cell, short
from tests.typed import Capture, cells, error, out

WORDS = {"report", "rollback", "status"}  # these print no rows
FORMS = ["--json", "--csv", "--md", "--parquet"]
ROWS = Rows.of(
    {
        "id": "INTEGER",
        "bias": "FLOAT",
        "genres": "VARCHAR[]",
        "at": "TIMESTAMP",
        "_mark": "VARCHAR",
    },
    [
        (1, 0.10000000149011612, ["Drama", "War"], datetime(2026, 1, 2, 3, 4, 5), "*"),
        (2, None, [], None, ""),
    ],
)
COLUMNS = [Column("id", "d"), Column("_mark", head=""), Column("bias", ".2f", "how liked|")]


def test_every_command_that_prints_rows_has_all_forms() -> None:
    for name in command_names(app) - WORDS:
        assert option_names(app[name]) >= set(FORMS), name
    assert "--json" in option_names(app["status"])


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(
    "typed",
    ["leaderboard", "history", "similar 4", "bias", "examples", "examples 1", "examples 1 --run"],
)
def test_all_forms_hold_the_same_rows(capsys: Capture, tmp_path: Path, typed: str) -> None:
    command = typed.split()
    records = json.loads(out(capsys, *command, "--json"))
    header, *rows = csv.reader(io.StringIO(out(capsys, *command, "--csv")))
    target = tmp_path / "rows.parquet"
    assert out(capsys, *command, "--parquet", str(target)) == ""
    stored = duckdb.read_parquet(str(target))
    marked = out(capsys, *command, "--md").splitlines()
    assert len(records) == len(rows) == len(stored) == len(marked) - 2 > 0
    assert list(records[0]) == header == stored.columns
    assert all(re.fullmatch(r"\w+", name) and name[0] != "_" for name in header)
    last = [isinstance(value, str) for value in records[0].values()][::-1].index(True)
    place = len(header) - 1 - last
    texts = [record[header[place]] for record in records]
    assert texts == [row[place] for row in rows] == [row[place] for row in stored.fetchall()]


def test_json_has_every_digit_and_csv_too(capsys: Capture) -> None:
    Output(json=True).rows(ROWS, "not there", COLUMNS)
    assert json.loads(capsys.readouterr().out) == [
        {"id": 1, "bias": 0.1, "genres": ["Drama", "War"], "at": "2026-01-02T03:04:05+00:00"},
        {"id": 2, "bias": None, "genres": [], "at": None},
    ]
    Output(csv=True).rows(ROWS, "not there", COLUMNS)
    assert capsys.readouterr().out.splitlines() == [
        "id,bias,genres,at",
        '1,0.1,"[""Drama"", ""War""]",2026-01-02 03:04:05+00:00',
        "2,,[],",
    ]


def test_parquet_keeps_the_types(tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"
    Output(parquet=target).rows(ROWS)
    stored = duckdb.read_parquet(str(target))
    assert list(map(str, stored.types)) == ["INTEGER", "FLOAT", "VARCHAR[]", "TIMESTAMP"]
    assert stored.fetchall() == [tuple(row[:4]) for row in ROWS.values]


def test_markdown_is_what_eyes_see(capsys: Capture) -> None:
    Output(md=True).rows(ROWS, "not there", COLUMNS)
    assert capsys.readouterr().out == (
        "| id |  | how liked\\| |\n| ---: | --- | ---: |\n| 1 | * | 0.10 |\n| 2 |  |  |\n"
    )


def test_a_table_for_eyes(capsys: Capture) -> None:
    Output().rows(ROWS, "[bold]Title", COLUMNS)
    printed = capsys.readouterr().out
    assert printed.startswith("[bold]Title\n")
    assert cells(printed) == [["1", "*", "0.10"], ["2", "", ""]]


@pytest.mark.usefixtures("data_dir")
def test_no_rows(capsys: Capture) -> None:
    nothing = ["sql", "SELECT 1 AS x WHERE false"]
    assert out(capsys, *nothing, "--json") == "[]\n"
    assert out(capsys, *nothing, "--csv") == "x\n"
    assert cells(out(capsys, *nothing)) == []


@pytest.mark.usefixtures("data_dir")
def test_null_and_empty_text_are_told_apart(capsys: Capture) -> None:
    query = "SELECT NULL AS a, '' AS b"
    assert out(capsys, "sql", query, "--csv") == 'a,b\n,""\n'
    assert cells(out(capsys, "sql", query)) == [["NULL", ""]]
    assert out(capsys, "sql", "SELECT NULL AS a", "--csv") == 'a\n""\n'


@pytest.mark.usefixtures("data_dir")
def test_one_form_at_a_time(capsys: Capture) -> None:
    assert main(["bias", "--json", "--csv"]) == 2
    assert "Choose one of --json, --csv, --md and --parquet." in capsys.readouterr().err


@pytest.mark.usefixtures("data_dir")
def test_another_program_gets_no_list_to_choose_from(capsys: Capture) -> None:
    assert "21 movies fit 'planted'; choose one by its id" in error(
        capsys, "similar", "planted", "--json"
    )
    rows = json.loads(out(capsys, "similar", "war of the worlds", "-k", "2", "--json"))
    assert [(row["item_id"], row["rank"]) for row in rows] == [(8, 1), (8, 2), (9, 1), (9, 2)]


@pytest.mark.usefixtures("data_dir")
class TestExamples:
    def test_they_are_listed_and_shown(self, capsys: Capture) -> None:
        listed = cells(out(capsys, "examples"))
        assert listed[0] == ["1", "Which model is best?"]
        assert [row[0] for row in listed] == [str(n) for n in range(1, len(listed) + 1)]
        assert "\nFROM leaderboard;\n" in out(capsys, "examples", "1")

    def test_one_is_run(self, capsys: Capture) -> None:
        rows = json.loads(out(capsys, "examples", "1", "--run", "--json"))
        assert [row["variant"] for row in rows] == ["dot_product_bias_wd", "embedding_nn"]

    def test_which_one(self, capsys: Capture) -> None:
        assert "There is no example 99; `collab examples` lists" in error(capsys, "examples", "99")
        assert "Which one?" in error(capsys, "examples", "--run")


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.8123456789, "", "0.812346"),
        (1234567.89, "", "1234567.9"),
        (1e-7, "", "1e-07"),
        (math.nan, "", "nan"),
        (10**20, "", "1" + 20 * "0"),
        (True, "", "true"),
        ([1.5, None], "", "[1.5, NULL]"),
        (list(range(50)), "", "[0, 1, 2, 3, 4, 5, 6, 7, … 50 in all]"),
        ({"a": [1]}, "", '{"a": [1]}'),
        ("a\x1b[31mb\n", "", "a\N{REPLACEMENT CHARACTER}[31mb\n"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "", "2026-01-02 03:04:05 UTC"),
        (-0.5, "+.1%", "-50.0%"),
    ],
)
def test_a_value_for_eyes(value: Any, form: str, shown: str) -> None:
    assert cell(value, form) == shown


@pytest.mark.parametrize("value", [0.1, 1 / 3, -2.5, 3.4028234663852886e38, 1e-45, 16777216.0])
def test_a_single_precision_number_keeps_its_value(value: float) -> None:
    single = duckdb.execute("SELECT $x::FLOAT", {"x": value}).fetchall()[0][0]
    shortest = short(single)
    assert duckdb.execute("SELECT $x::FLOAT", {"x": shortest}).fetchall() == [(single,)]
    assert len(repr(shortest)) <= len(repr(single))
