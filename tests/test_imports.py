"""Imports go one way, and the library knows no Prefect."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGES = [
    "base",
    "movielens",
    "lake",
    "dataset",
    "estimators",
    "runs",
    "evaluation",
    "search",
    "release",
    "report",
    "client people changes cli status",
]
RANK = {name: rank for rank, names in enumerate(STAGES) for name in names.split()}
LAST = len(STAGES) - 1
MAY_NOT = {
    "collab": {"prefect", "tasks", "flows", "deploy", "tests"},
    "tasks": {"flows", "deploy", "tests"},
    "flows": {"deploy", "tests"},
    "deploy": {"tests"},
}


def imported(path: Path) -> set[str]:
    """The names a file imports; a relative one begins with a dot."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
            if node.module == "collab":
                names |= {f"collab.{alias.name}" for alias in node.names}
    return names


def rank(parts: tuple[str, ...]) -> int:
    """The rank of `collab.<stage>...`; `collab` itself offers what the last stage does."""
    return RANK[parts[1]] if len(parts) > 1 else LAST


def offences(root: Path) -> list[str]:
    """Every import of the tree that goes the wrong way, as `file imports name`."""
    return [
        f"{path.relative_to(root).as_posix()} imports {name}"
        for package in MAY_NOT
        for path in sorted((root / package).rglob("*.py"))
        for name in sorted(imported(path))
        if offends(path.relative_to(root), name)
    ]


def offends(path: Path, name: str) -> bool:
    """Whether a file of that path may not import that name."""
    top, *rest = name.split(".")
    if not top or top in MAY_NOT[path.parts[0]]:
        return True
    if top != "collab" or path.parts[0] != "collab":
        return False
    own = tuple(part.removesuffix(".py") for part in path.parts if part != "__init__.py")
    return rank((top, *rest)) > rank(own)


def test_no_import_goes_the_wrong_way() -> None:
    assert offences(ROOT) == []


def test_every_part_of_the_library_has_its_place() -> None:
    parts = {path.stem for path in (ROOT / "collab").iterdir() if path.suffix == ".py"}
    parts |= {path.parent.name for path in (ROOT / "collab").glob("*/__init__.py")}
    assert parts == {*RANK, "__init__"}


@pytest.mark.parametrize(
    ("file", "line", "name"),
    [
        ("collab/dataset/rows.py", "from collab.runs.spec import RunSpec", "collab.runs.spec"),
        ("collab/lake.py", "from collab import release", "collab.release"),
        ("collab/base/__init__.py", "import collab.lake", "collab.lake"),
        ("collab/runs/train.py", "def f():\n    from collab.report import x", "collab.report"),
        ("collab/release/tables.py", "import collab", "collab"),
        ("collab/release/tables.py", "from collab.cli.show import say", "collab.cli.show"),
        ("collab/cli/queries.py", "import prefect.runtime", "prefect.runtime"),
        ("collab/status.py", "from tasks.events import X", "tasks.events"),
        ("collab/runs/launch.py", "from .stop import STOP", ".stop"),
        ("tasks/train.py", "from flows.plan import Plan", "flows.plan"),
        ("flows/ingest.py", "from deploy.automations import X", "deploy.automations"),
        ("deploy/serve.py", "from tests.archives import planted", "tests.archives"),
    ],
)  # fmt: skip
def test_the_rule_can_fail(tmp_path: Path, file: str, line: str, name: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(f"import json\nfrom collab.base.errors import CollabError\n{line}\n")
    found = offences(tmp_path)
    assert f"{file} imports {name}" in found
    assert not any("json" in offence or "errors" in offence for offence in found)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("deploy/serve.py", "from collab.lake import x\nimport flows.ingest\nimport tasks.events"),
        (
            "flows/train.py",
            "import prefect\nfrom tasks.train import x\nfrom collab.cli import main",
        ),
        ("tasks/train.py", "import prefect\nfrom collab.runs.spec import RunSpec"),
        ("collab/release/tables.py", "import torch\nfrom collab.runs.spec import RunSpec"),
        ("collab/cli/app.py", "import collab\nfrom collab.status import x"),
        ("collab/__init__.py", "from collab.client import connect"),
    ],
)
def test_the_rule_lets_pass_what_goes_the_right_way(tmp_path: Path, file: str, line: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(line)
    assert offences(tmp_path) == []
