"""Keys from content: the same inputs and the same code give the same key."""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

from collab.base.errors import CollabError

PACKAGE = Path(__file__).parent.parent
SUFFIXES = {".py", ".sql", ".html", ".css", ".js"}
PARSER = Lock()  # Python 3.11 counts the depth of a tree for all threads together, and may err


def stamp(path: Path) -> tuple[int, int]:
    """What changes when a file is written: its time, and most often its size."""
    told = path.stat()
    return told.st_mtime_ns, told.st_size


def sources() -> Iterator[Path]:
    """The files of this program; not what an editor keeps beside them."""
    for path in PACKAGE.rglob("[!.]*"):
        if path.suffix in SUFFIXES:
            yield path


LOADED = {  # what this process runs, or will when it imports more of it
    path: (stamp(path), path.read_text(encoding="utf-8")) for path in sources()
}


def fingerprint(**parts: Any) -> str:
    """Hex sha256 over named JSON values; the order of the names does not matter."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def code_digest(*names: str) -> str:
    """Hex sha256 over the code of some of collab's modules and packages and the files beside it.

    Imports go one way, so a stage depends on its own modules and those of the stages before it.
    Comments, docstrings and the layout of Python files do not count.

    Raises:
        CodeChangedError: the files are no longer what this process runs.
    """
    refuse_changed_code()
    return digest_of_files(*names)


@cache
def digest_of_files(*names: str) -> str:
    """Hex sha256 over the code of some modules and packages."""
    digest = hashlib.sha256()
    for name in names:
        place = PACKAGE / name
        files = [place] if place.is_file() else sorted(place.rglob("[!.]*"))
        for path in files:
            if path.suffix in SUFFIXES:
                digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
                digest.update(what_counts(path).encode() + b"\0")
    return digest.hexdigest()


def what_counts(path: Path, text: str | None = None) -> str:
    """The text of a file, by default as it is now; of a Python file its code alone."""
    text = path.read_text(encoding="utf-8") if text is None else text
    if path.suffix != ".py":
        return text
    with PARSER:
        tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            told = isinstance(node.body[:1] and node.body[0], ast.Expr)
            if told and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


class CodeChangedError(CollabError):
    """What would be committed from here on would be of two versions of the program."""


def refuse_changed_code() -> None:
    """Stop where the files of this program are no longer what this process runs.

    Raises:
        CodeChangedError: names one of them.
    """
    changed = (path for path, (at, text) in LOADED.items() if not is_same(path, at, text))
    added = (path for path in sources() if path not in LOADED)
    for path in chain(changed, added):
        raise CodeChangedError(
            f"The code changed under this run ({path}). What was committed before is kept; "
            "start it again."
        )


def is_same(path: Path, at: tuple[int, int], text: str) -> bool:
    """Whether a file still holds a text, or differs from it in nothing that counts."""
    try:
        return stamp(path) == at or what_counts(path) == what_counts(path, text)
    except (OSError, SyntaxError, ValueError):  # gone, or written in part
        return False
