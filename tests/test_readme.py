"""What the README tells a reader to type is there to be typed."""

import re
from pathlib import Path

import pytest

from collab.cli.app import command_names
from collab.cli.place import app
from collab.estimators.recipes import FAITHFUL
from collab.movielens.editions import EDITIONS
from flows.parameters import make_parser as pipeline_parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs").glob("*.md")))]


def test_every_target_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {name for page in PAGES for name in re.findall(r"`?make ([a-z][a-z-]+)\b", page)}
    assert {"run", "test", "lint", "bench"} <= named
    for name in re.findall(r"^    make ([a-z-]+)", README, flags=re.M):
        assert re.search(rf"^{name}:", makefile, flags=re.M), name


def test_every_option_of_the_table_is_the_pipelines_and_the_other_way_round() -> None:
    told = set(re.findall(r"^\| `(--[a-z-]+)", README, flags=re.M))
    there = {option for action in pipeline_parser()._actions for option in action.option_strings}
    assert told == {option for option in there if option.startswith("--")} - {"--help"}


@pytest.mark.parametrize("command", sorted(set(re.findall(r"collab ([a-z]+)(?=[ `])", README))))
def test_every_command_is_one_of_collabs(command: str) -> None:
    assert command in command_names(app)


def test_every_edition_and_variant_is_named() -> None:
    for name in [*EDITIONS, *FAITHFUL]:
        assert f"`{name}`" in README, name


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([A-Za-z][^):]*)\)", README):
        assert (ROOT / target).exists(), target
