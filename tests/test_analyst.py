"""An analyst needs none of the packages that the extras bring."""

import subprocess
import sys
from pathlib import Path

import pytest

from collab.cli.app import command_names
from collab.cli.place import app
from tests.cli.served import serve_by_hand

EXTRAS = (
    "torch numpy pandas prefect pyarrow altair httpx safetensors jinja2 markupsafe psutil sklearn "
    "scipy ray fastapi sqlalchemy vl_convert pytz"
)
WITHOUT = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS.split()!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def run_without(code: str) -> subprocess.CompletedProcess[str]:
    """A program, where the extras are not installed."""
    command = [sys.executable, "-c", WITHOUT + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def collab(*typed: str) -> subprocess.CompletedProcess[str]:
    """A command of `collab`, likewise."""
    return run_without(f"from collab.cli import main; sys.exit(main({list(typed)!r}))")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a publication made by hand."""
    root = tmp_path_factory.mktemp("analyst")
    serve_by_hand(root / "serve")
    return root


def test_what_is_missing_is_missing() -> None:
    assert "No module named 'torch'" in run_without("import torch.nn").stderr


def test_connect(there: Path) -> None:
    code = f"""
import collab
with collab.connect({str(there)!r}) as con:
    print(con.execute("SELECT edition FROM publish_info").fetchall())
"""
    done = run_without(code)
    assert (done.stderr, done.stdout) == ("", "[('ml-latest-small',)]\n")


COMMANDS = (
    "--help",
    "leaderboard --help",
    "--version",
    "--print-completion bash",
    "status",
    "status --json",
    "leaderboard",
    "history --csv",
    "similar Alien",
    "bias --genre Drama --md",
    "bias --model dot_product_bias_wd",
    "compare dot_product_bias_wd embedding_nn",
    "diff 1 1",
    "predict 42 Alien",
    "recommend 42",
    "ask",
    "bias --parquet {there}/bias.parquet",
    "predict 42 Alien",
    "recommend 42 --md",
    "recommend --rated Alien=5 --rated Aliens=2",
    "ask --json",
    "compare dot_product_bias_wd embedding_nn",
    "sql --json FROM\tmovies",
    "sql --csv SELECT\tto_timestamp(0)",
    "sql FROM\tmovies --parquet {there}/movies.parquet",
    "examples",
    "examples 3 --run --json",
    "report",
)


def test_every_command(there: Path) -> None:
    """All in one process, which imports none of the packages: there are none."""
    typed = [line.format(there=there).split(" ") for line in COMMANDS]
    ran = "{' '.join(line): main(['--data-dir', place, *line]) for line in typed}"
    code = f"""
import json
from collab.cli import main
place, typed = {str(there)!r}, {typed!r}
codes = {ran}
sys.stderr.write(json.dumps([line for line, code in codes.items() if code]))
"""
    done = run_without(code)
    assert (done.returncode, done.stderr) == (0, "[]")


def test_no_command_is_forgotten() -> None:
    others = {"snapshots", "diff", "rollback", "gc"}
    assert command_names(app) == others | {line.split()[0] for line in COMMANDS if line[0] != "-"}


@pytest.mark.parametrize(
    ("typed", "said"), [("snapshots", "Nothing is published"), ("rollback 7", "no snapshot 7")]
)
def test_a_command_that_finds_no_record(there: Path, typed: str, said: str) -> None:
    done = collab("--data-dir", str(there), *typed.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_what_may_go_is_told_without_the_extras(there: Path) -> None:
    """They take seconds to import."""
    done = collab("--data-dir", str(there), "gc", "--json")
    assert (done.returncode, done.stdout) == (0, "[]\n")
