"""What the README tells a reader to type is there to be typed."""

import re
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.cli.app import command_names, option_names
from collab.cli.place import app as collab
from collab.estimators.api import Recipe
from collab.estimators.bias_only import BiasOnly
from collab.estimators.recipes import DOT, GROUPS, RECIPES
from collab.movielens.editions import EDITIONS
from flows.pipeline import app as pipeline
from scripts.variants import END, START, replaced, table

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {p.name: p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs").glob("*.md"))}
PAGES = [README, *DOCS.values()]


def test_every_target_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {name for page in PAGES for name in re.findall(r"`?make ([a-z][a-z-]+)\b", page)}
    assert {"run", "test", "lint", "bench"} <= named
    for name in re.findall(r"^    make ([a-z-]+)", README, flags=re.M):
        assert re.search(rf"^{name}:", makefile, flags=re.M), name


def test_every_option_of_the_table_is_the_pipelines_and_the_other_way_round() -> None:
    told = set(re.findall(r"^\| `(--[a-z-]+)", DOCS["pipeline.md"], flags=re.M))
    assert told == option_names(pipeline)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"collab ([a-z]+)(?=[ `])", README))))
def test_every_command_is_one_of_collabs(command: str) -> None:
    assert command in command_names(collab)


def typed() -> list[tuple[str, str]]:
    """The commands of `collab` that are told with options, and each such option."""
    lines = re.findall(r"collab (?:--\S+ \S+ )*([a-z]+)([^`\n]*)", "\n".join(PAGES))
    return sorted({(name, option) for name, rest in lines if name in command_names(collab)
                   for option in re.findall(r"--[a-z][a-z-]*", rest)})  # fmt: skip


@pytest.mark.parametrize(("command", "option"), typed())
def test_every_option_of_a_command_is_one_of_it(command: str, option: str) -> None:
    assert option in option_names(collab[command]) | option_names(collab.meta)


def test_every_edition_and_group_of_variants_is_named() -> None:
    for name in [*EDITIONS, "faithful", "fast"]:
        assert f"`{name}`" in README, name


def variants_told() -> list[tuple[str, ...]]:
    """Name, model and weight decay of each row of the table of variants."""
    page = DOCS["models.md"]
    block = page[page.index(START) : page.index(END)]
    rows = re.findall(r"^\| `(.*)$", block, flags=re.M)
    return [tuple(cell.strip(" `") for cell in row.split("|")[:3]) for row in rows]


def test_the_table_of_variants_is_that_of_the_recipes() -> None:
    """Where this fails, a recipe is new: `python scripts/variants.py`."""
    decay = {name: getattr(recipe.estimator, "wd", None) for name, recipe in RECIPES.items()}
    assert variants_told() == [
        (name, recipe.about, "" if decay[name] is None else f"{decay[name]:g}")
        for name, recipe in RECIPES.items()
    ]
    assert {name for names in GROUPS.values() for name in names} == set(RECIPES)


def test_a_new_variant_is_one_more_row(monkeypatch: pytest.MonkeyPatch) -> None:
    new = [
        Recipe(name="new", estimator=DOT.but(wd=0.25), about="a new one"),
        Recipe(name="means", estimator=BiasOnly(), about="means"),
    ]
    before = table({})
    for recipe in new:
        monkeypatch.setitem(RECIPES, recipe.name, recipe)
    assert table({"new": (0.8, 0.81, 0.0123)}) == [
        *before,
        "| `new` | a new one | 0.25 | 0.8000 | 0.8100 ± 0.0123 | |",
        "| `means` | means | | | | |",
    ]


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    text = f"before\n{START}\nold\n{END}\nafter"
    once = replaced(text, ["| new |"])
    assert once == f"before\n{START}\n| new |\n{END}\nafter"
    assert replaced(once, ["| new |"]) == once
    with pytest.raises(CollabError, match="lacks the line"):
        replaced("nothing", [])


def test_every_link_leads_somewhere() -> None:
    pages = {ROOT / "README.md": README, **{ROOT / "docs" / n: text for n, text in DOCS.items()}}
    for page, text in pages.items():
        for target in re.findall(r"\]\(((?:\.\./|[A-Za-z])[^):#]*)[)#]", text):
            assert (page.parent / target).exists(), (page.name, target)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200
