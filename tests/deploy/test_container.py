"""The files for containers and systemd, as far as they can be judged without either."""

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.processes import GRACE_SECONDS

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OWN = {name: part for name, part in COMPOSE["services"].items() if "build" in part}


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def sent() -> set[str]:
    """What of the checkout's root goes to a build: all but what is named is left out."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return {rule[1:] for rule in rules if rule.startswith("!")}


def test_no_ratings_environment_or_history_go_into_an_image() -> None:
    for name in ("data", ".venv", ".git", "tests", "benchmarks", "movielens.zip", ".env"):
        assert name not in sent()


def test_what_the_image_needs_does() -> None:
    packages = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert all(any(fnmatch(name, pattern) for name in sent()) for pattern in packages)
    for word, rest in instructions():
        if word == "COPY":
            assert {name for name in rest.split()[:-1] if name != "."} <= sent()
    for name in sent():
        assert (ROOT / name).exists(), name


def test_all_that_flows_need_is_installed() -> None:
    (extras,) = re.findall(r"'\.\[(.*)\]'", DOCKERFILE)
    needed = {"train", "flows", "boost", "search"}
    assert set(extras.split(",")) == needed <= set(PROJECT["project"]["optional-dependencies"])
    assert "-constraint constraints.txt" in DOCKERFILE


def test_it_runs_as_a_user_who_owns_the_data_and_not_the_code() -> None:
    words = [word for word, _ in instructions()]
    assert dict(instructions())["USER"] == "collab"
    assert "install --directory --owner collab /srv/movielens" in DOCKERFILE
    assert words.index("USER") > max(at for at, word in enumerate(words) if word == "COPY")
    assert dict(instructions())["CMD"].startswith("[")  # the program itself gets the signals


def test_signals_come_and_there_is_time_to_heed_them() -> None:
    assert set(OWN) == {"server", "deploy", "worker", "tables"}
    assert all(part["init"] for part in OWN.values())
    worker: Any = OWN["worker"]
    assert worker["command"].startswith("python -m deploy.worker ")  # Prefect's own kills its runs
    grace = float(worker["stop_grace_period"].removesuffix("s"))
    assert grace > 2 * GRACE_SECONDS
    assert worker["cpus"] >= 1


def test_links_lead_to_what_is_served() -> None:
    for part in OWN.values():
        assert "4201" in part["environment"]["COLLAB_SERVE_URL"]
        assert "4200" in part["environment"]["PREFECT_UI_URL"]
    assert COMPOSE["services"]["tables"]["ports"] == ["127.0.0.1:4201:4201"]
    assert all(port.startswith("127.0.0.1:") for part in OWN.values()
               for port in part.get("ports", []))  # fmt: skip


def unit() -> dict[str, str]:
    """The settings of the service; none is there twice."""
    lines = (ROOT / "deploy" / "collab.service").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and line[0] not in "#["]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_the_unit_lives_on_where_a_child_dies_and_has_time_to_end() -> None:
    found = unit()
    assert found["ExecStart"].endswith(" -m deploy.serve --stdout")
    assert found["OOMPolicy"] == "continue"
    assert found["KillMode"] == "mixed"  # SIGTERM for `deploy.serve` alone, which ends the others
    assert float(found["TimeoutStopSec"]) > 5 * GRACE_SECONDS
    assert found["Restart"] == "on-failure"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if not (systemd := shutil.which("systemd-analyze")):
        pytest.skip("systemd-analyze is not installed")
    text = (ROOT / "deploy" / "collab.service").read_text(encoding="utf-8")
    copy = tmp_path / "collab.service"
    copy.write_text(text.replace("/opt/collab/.venv/bin/python", sys.executable))
    done = subprocess.run([systemd, "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
