"""What the machine gives a process: cores and memory."""

import os
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
CGROUP = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory_gib() -> float:
    """Memory that processes may still take, GiB: of the machine, or of the container it is."""
    import psutil  # only here: an analyst, who trains nothing, has none

    free = int(psutil.virtual_memory().available)
    limit, used = (read_number(CGROUP / name) for name in ("memory.max", "memory.current"))
    if limit is not None and used is not None:
        free = min(free, limit - used)
    return max(free, 0) / (1 << 30)


def read_number(path: Path) -> int | None:
    """The number in a file; None where there is no such file, or no number in it."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


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
