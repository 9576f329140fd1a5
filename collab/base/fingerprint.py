"""Keys from content: the same inputs and the same code give the same key."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent.parent
SUFFIXES = {".py", ".sql", ".html", ".css", ".js"}


def fingerprint(**parts: Any) -> str:
    """Hex sha256 over named JSON values; the order of the names does not matter."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def code_digest(*names: str) -> str:
    """Hex sha256 over the code of some of collab's modules and packages and the files beside it.

    Imports go one way, so a stage depends on its own modules and those of the stages before it.
    Comments, docstrings and the layout of Python files do not count.
    """
    digest = hashlib.sha256()
    for name in names:
        place = PACKAGE / name
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in files:
            if path.suffix in SUFFIXES:
                digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
                digest.update(what_counts(path).encode() + b"\0")
    return digest.hexdigest()


def what_counts(path: Path) -> str:
    """The text of a file; of a Python file its code alone."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return text
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            told = isinstance(node.body[:1] and node.body[0], ast.Expr)
            if told and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
