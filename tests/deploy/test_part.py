"""What a part prints where COLLAB_LOG asks for JSON, and where its temporary files are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.processes import start
from flows import ENV_LOG

PRINTS = """
import logging, sys, warnings
logging.basicConfig(format='{"message": "%(message)s"}')
logging.warning("a log line")
print("a banner\\n\\n  | of |")
print("half a ", end="")
print("line", file=sys.stdout)
sys.stdout.writelines(["42\\n", "[1]\\n"])
warnings.warn("a warning")
print(sys.argv[1:], __name__, sys.stdout.isatty())
raise ValueError("bad")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that prints, by name."""
    (tmp_path / "prints.py").write_text(PRINTS)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return "prints"


def printed(module: str, log: Path, **variables: str) -> list[str]:
    """The lines of a part that was started as `make serve` does."""
    process = start([module, "--port", "1"], log, {**os.environ, **variables})
    assert process.wait(60) == 1
    return log.read_text().splitlines()


def test_every_line_is_an_object(module: str, tmp_path: Path) -> None:
    lines = printed(module, tmp_path / "log", **{ENV_LOG: "json"})
    told = [json.loads(line) for line in lines]
    assert '{"message": "a log line"}' in lines  # as it was
    others = [each for each in told if "at" in each]
    assert {(each["logger"], each["level"]) for each in others} == {("prints", "INFO")}
    messages = [each["message"] for each in others]
    seen = "['--port', '1'] __main__ False"
    expected = ["a banner", "  | of |", "half a line", "42", "[1]", seen]
    assert [text for text in messages if text in expected] == expected
    assert any("a warning" in text for text in messages)
    assert "ValueError: bad" in messages


def test_otherwise_it_prints_as_ever(module: str, tmp_path: Path) -> None:
    assert "  | of |" in printed(module, tmp_path / "log", **{ENV_LOG: ""})


def test_a_command_line_that_is_none_is_an_object_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.serve", "--data-dir", "/proc/nowhere"]
    done = subprocess.run(
        command, env={**os.environ, ENV_LOG: "json"}, capture_output=True, text=True, check=False
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"].startswith("error: The data folder /proc/nowhere cannot")


def test_temporary_files_are_of_this_user_and_what_it_starts_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    ask = "import tempfile; print(tempfile.gettempdir(), flush=True)"
    start_other = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ask!r}])"
    (tmp_path / "asks.py").write_text(f"{ask}\n{start_other}\n")
    process = start(["asks"], tmp_path / "log", os.environ)
    assert process.wait(60) == 0
    own = tmp_path / f"collab-parts-{os.getuid()}"
    assert (tmp_path / "log").read_text().split() == [str(own), str(tmp_path)]
    assert own.stat().st_mode & 0o777 == 0o700
