"""The search of the report, without a page: the same titles for the same words as in SQL."""

import json
import shutil
import subprocess
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from tests.titles import FOUND, MEANT, TITLES, found, meant, plant_titles

ASK = """
const { folded, asked, meant } = JSON.parse(require("fs").readFileSync(0));
const found = asked.map((text) => findTitles(folded, text));
const close = meant.map((text) => closeTitles(folded, text));
console.log(JSON.stringify([found, close]));
"""


def node() -> str:
    """A program that runs scripts: one that is installed, else that of playwright."""
    spec = find_spec("playwright")
    own = Path(spec.origin or "").parent / "driver" / "node" if spec else Path("node")
    program = shutil.which("node") or (str(own) if own.exists() else None)
    if program is None:
        pytest.skip("no node is on the path, nor one of playwright's: it runs the search's script")
    return program


@pytest.fixture(scope="module")
def answers() -> list[list[list[int]]]:
    """Places in the titles that each query finds, and those closest to what finds none."""
    with duckdb.connect() as con:
        plant_titles(con)
        rows = con.execute("SELECT title_folded FROM movies ORDER BY movie_id").fetchall()
    folded = [folded for (folded,) in rows]
    given = {"folded": folded, "asked": list(FOUND), "meant": list(MEANT)}
    script = (files("collab.report") / "assets" / "titles.js").read_text(encoding="utf-8")
    done = subprocess.run(
        [node(), "-e", script + ASK],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers: list[list[list[int]]] = json.loads(done.stdout)
    return answers


def test_what_is_found_and_in_which_order(answers: list[list[list[int]]]) -> None:
    for query, places in zip(FOUND, answers[0], strict=True):
        assert [TITLES[at] for at in places] == found(query), query


def test_what_is_closest(answers: list[list[list[int]]]) -> None:
    for query, places in zip(MEANT, answers[1], strict=True):
        assert [TITLES[at] for at in places[:1]] == ([meant(query)] if meant(query) else []), query
