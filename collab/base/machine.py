"""What the machine gives a process: cores and memory."""

import os
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory_mib() -> int:
    """Peak resident memory of this process so far, MiB.

    Linux tells it of the program alone (VmHWM); `ru_maxrss` would be that of the process which
    started it, where that was larger.
    """
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 if sys.platform == "linux" else 1024 * 1024)
