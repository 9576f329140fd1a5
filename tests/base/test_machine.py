"""What the machine gives a process."""

import subprocess
import sys

import pytest

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
