"""What the machine gives a process."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from collab.base import machine
from collab.base.machine import STATUS

TELL = "from collab.base.machine import peak_memory_mib; print(peak_memory_mib(), flush=True)"
LARGE = f"""
import subprocess, sys
large = b"x" * (300 << 20)
del large
{TELL}
subprocess.run([sys.executable, "-c", {TELL!r}], check=True)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the peak of a program alone")
def test_the_peak_is_the_process_own_not_that_of_the_one_that_started_it() -> None:
    told = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True)
    parent, child = (int(line) for line in told.stdout.split())
    assert parent >= 300
    assert 0 < child < 150


def test_free_memory_is_that_of_the_machine_where_no_container_limits_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    available = psutil.virtual_memory().available / (1 << 30)
    assert machine.free_memory_gib() == pytest.approx(available, rel=0.5)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert machine.free_memory_gib() == pytest.approx(available, rel=0.5)


def test_a_container_gives_what_its_limit_leaves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text(f"{300 << 20}\n")
    (tmp_path / "memory.current").write_text(f"{100 << 20}\n")
    assert machine.free_memory_gib() == pytest.approx(200 / 1024)
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {50 << 20}\n")
    assert machine.free_memory_gib() == pytest.approx(250 / 1024)
    (tmp_path / "memory.stat").unlink()
    (tmp_path / "memory.current").write_text(f"{400 << 20}\n")
    assert machine.free_memory_gib() == 0


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of four cores; the tree of its control groups, empty."""
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("told", "cores"),
    [("max 100000", 4), ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1),
     ("900000 100000", 4), ("-1 100000", 4), ("what", 4)],
)  # fmt: skip
def test_a_quota_leaves_fewer_cores(four: Path, told: str, cores: int) -> None:
    assert machine.usable_cores() == 4
    (four / "cpu.max").write_text(f"{told}\n")
    assert machine.usable_cores() == cores


def test_a_quota_of_version_1(four: Path) -> None:
    (four / "cpu").mkdir()
    (four / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    (four / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert machine.usable_cores() == 4
    (four / "cpu" / "cpu.cfs_quota_us").write_text("300000\n")
    assert machine.usable_cores() == 3


def test_a_unit_is_limited_by_its_group_and_by_those_above(four: Path) -> None:
    own = four / "system.slice" / "collab.service"
    own.mkdir(parents=True)
    (four / "own").write_text("0::/system.slice/collab.service\n")
    (own / "cpu.max").write_text("300000 100000\n")
    assert machine.usable_cores() == 3
    (own.parent / "cpu.max").write_text("200000 100000\n")
    assert machine.usable_cores() == 2
    (own / "memory.max").write_text(f"{300 << 20}\n")
    (own / "memory.current").write_text(f"{100 << 20}\n")
    assert machine.free_memory_gib() == pytest.approx(200 / 1024)
