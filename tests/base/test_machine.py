"""What the machine gives a process."""

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
    (tmp_path / "memory.current").write_text(f"{400 << 20}\n")
    assert machine.free_memory_gib() == 0
