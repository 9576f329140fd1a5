"""Keys from content and from code."""

import ast
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collab.base import fingerprint as module_of_keys
from collab.base.fingerprint import (
    PACKAGE,
    CodeChangedError,
    code_digest,
    fingerprint,
    stamp,
    what_counts,
)

CODE = '''"""A module."""
import math  # for pi


class Circle:
    """A circle."""

    radius: float = 1.0

    def area(self) -> float:
        """In square metres."""
        # Archimedes
        return math.pi * self.radius**2
'''
SAME = [
    CODE.replace("A circle", "Round"),
    CODE.replace("        # Archimedes\n", ""),
    CODE.replace("  # for pi", ""),
    CODE.replace('"""A module."""\n', ""),
    CODE.replace('    """A circle."""\n\n', ""),
    CODE.replace('        """In square metres."""\n', ""),
    CODE.replace("math.pi * self.radius**2", "(\n            math.pi * self.radius**2\n        )"),
]
OTHER = [
    CODE.replace("1.0", "2.0"),
    CODE.replace("**2", "**3"),
    CODE.replace("return math.pi", '"a string in the middle"\n        return math.pi'),
    CODE.replace("radius", "r"),
]


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text(CODE)
    return path


@pytest.mark.parametrize("text", SAME)
def test_comments_docstrings_and_layout_do_not_count(module: Path, text: str) -> None:
    before = what_counts(module)
    assert text != CODE
    module.write_text(text)
    assert what_counts(module) == before


@pytest.mark.parametrize("text", OTHER)
def test_code_counts(module: Path, text: str) -> None:
    before = what_counts(module)
    module.write_text(text)
    assert what_counts(module) != before


def test_a_function_of_a_docstring_alone_is_one_that_does_nothing(module: Path) -> None:
    module.write_text('def f():\n    """Nothing."""\n')
    alone = what_counts(module)
    module.write_text("def f():\n    pass\n")
    assert what_counts(module) == alone


def test_of_other_files_every_byte_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("-- comment\nSELECT 1")
    assert what_counts(path) == "-- comment\nSELECT 1"


def test_the_order_of_names_does_not_matter_but_every_value_does() -> None:
    assert fingerprint(a=1, b=[2]) == fingerprint(b=[2], a=1)
    assert len({fingerprint(a=1), fingerprint(a=2), fingerprint(b=1)}) == 3


def test_packages_and_modules_have_digests_of_their_own() -> None:
    digests = {code_digest("lake.py"), code_digest("dataset"), code_digest("lake.py", "dataset")}
    assert len(digests) == 3


@pytest.fixture
def loaded(module: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that this process runs."""
    monkeypatch.setitem(module_of_keys.LOADED, module, (stamp(module), CODE))
    return module


@pytest.mark.parametrize("text", [CODE, *SAME])
def test_a_comment_may_change_under_a_run(loaded: Path, text: str) -> None:
    loaded.write_text(text)
    os.utime(loaded, ns=(1, 1))
    assert code_digest("lake.py")


HALF_WRITTEN = ["def half-writ", "a = 1\0", b"a = '\xc3"]


@pytest.mark.parametrize("text", [*OTHER, *HALF_WRITTEN, None])
def test_code_that_changes_under_a_run_stops_it(loaded: Path, text: str | bytes | None) -> None:
    if text is None:
        loaded.unlink()
    else:
        loaded.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(loaded, ns=(1, 1))
    with pytest.raises(CodeChangedError, match=rf"changed under this run \({loaded}\).* again"):
        code_digest("lake.py")


def test_a_file_that_is_added_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that start later would be of other code than those before."""
    (some, *_) = module_of_keys.LOADED
    monkeypatch.delitem(module_of_keys.LOADED, some)
    with pytest.raises(CodeChangedError, match=str(some)):
        code_digest("lake.py")


def test_what_an_editor_keeps_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of_keys, "PACKAGE", tmp_path)
    (tmp_path / ".#lake.py").symlink_to("somebody@somewhere.42")
    (tmp_path / "lake.py~").touch()
    assert list(module_of_keys.sources()) == []
    (tmp_path / "lake.py").touch()
    assert list(module_of_keys.sources()) == [tmp_path / "lake.py"]


def test_one_thread_parses_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 may fail where two do, with a SystemError."""
    parse, inside, most = ast.parse, [0], [0]

    def slowly(text: str) -> ast.Module:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        inside[0] -= 1
        return parse(text)

    monkeypatch.setattr(ast, "parse", slowly)
    sources = sorted(PACKAGE.glob("*.py"))[:4]
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(what_counts, sources))) == 4
    assert most == [1]
