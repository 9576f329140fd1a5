"""Imports go one way, and the library knows no Prefect."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGES = [
    "errors paths files fingerprint journal",
    "movielens",
    "lake",
    "models",
    "training",
    "publish",
]
RANK = {name: rank for rank, names in enumerate(STAGES) for name in names.split()}


def imported(path: Path) -> set[str]:
    """The absolute names a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names.add(node.module or "")
    return names


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def stage(parts: tuple[str, ...]) -> int | None:
    """The rank of `collab.<stage>...`; None for what is above all stages."""
    return RANK.get(parts[1].removesuffix(".py")) if len(parts) > 1 else None


@pytest.mark.parametrize("path", files("collab"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_stage_imports_a_later_one(path: Path) -> None:
    own = stage(path.relative_to(ROOT).parts)
    for name in imported(path):
        top = name.split(".")[0]
        assert top not in {"prefect", "flows", "tasks", "tests"}, f"{path} imports {name}"
        if top == "collab" and own is not None:
            other = stage(tuple(name.split(".")))
            assert other is not None, f"{path} imports {name}"
            assert other <= own, f"{path} imports {name}"


@pytest.mark.parametrize("path", files("tasks"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_tasks_do_not_import_flows(path: Path) -> None:
    assert not any(name.split(".")[0] == "flows" for name in imported(path))


def test_the_rule_can_fail(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("from collab.release.tables import insert\nimport prefect\n")
    assert imported(tmp_path / "x.py") == {"collab.release.tables", "prefect"}
