"""Keys from content: the same inputs and the same code give the same key."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
SUFFIXES = {".py", ".sql", ".html", ".css", ".js"}


def fingerprint(**parts: Any) -> str:
    """Hex sha256 over named JSON values; the order of the names does not matter."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def code_digest(*names: str) -> str:
    """Hex sha256 over the source of some of collab's modules and packages and the files beside it.

    Imports go one way, so a stage depends on its own modules and those of the stages before it.
    """
    digest = hashlib.sha256()
    for name in names:
        place = PACKAGE / name
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in files:
            if path.suffix in SUFFIXES:
                digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
                digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
