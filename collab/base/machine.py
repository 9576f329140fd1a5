"""What the machine gives a process: cores and memory."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

STATUS = Path("/proc/self/status")
CGROUP = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
# limit and use, of version 2 and of version 1
MEMORY = (
    ("memory.max", "memory.current"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def usable_cores() -> int:
    """How many cores this process may use: those it may run on, or fewer where a quota says so."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    return max(1, min([cores, *(int(quota) for quota in quotas())]))


def quotas() -> Iterator[float]:
    """The cores that containers or units which hold this process give it: `--cpus`, CPUQuota."""
    for group in groups("cpu"):
        given = read_numbers(group / "cpu.max")  # of version 2: quota and period; or `max`
        if (group / "cpu.cfs_quota_us").exists():  # of version 1; -1 is none
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            given = [number for name in names for number in read_numbers(group / name)]
        if len(given) == 2 and min(given) > 0:
            yield given[0] / given[1]


def free_memory_gib() -> float:
    """Memory that processes may still take, GiB: of the machine, or of the container it is."""
    import psutil  # only here: an analyst, who trains nothing, has none

    free = int(psutil.virtual_memory().available)
    for group in groups("memory"):
        for names in MEMORY:
            given = [number for name in names for number in read_numbers(group / name)]
            if len(given) == 2:
                free = min(free, given[0] - given[1] + reclaimable(group))
    return max(free, 0) / (1 << 30)


def reclaimable(group: Path) -> int:
    """Bytes of files read before that a group holds, which give way to whoever needs memory."""
    try:
        words = (group / "memory.stat").read_text(encoding="ascii").split()
        known = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    except (OSError, ValueError):
        return 0
    return known.get("total_inactive_file", known.get("inactive_file", 0))


def groups(controller: str) -> Iterator[Path]:
    """The control groups that this process is in, its own first, as far as they are seen here.

    A container sees its own as the root; a systemd unit is below it. Version 1 has a tree for each
    controller.
    """
    own = OWN_GROUPS.read_text(encoding="ascii", errors="replace") if OWN_GROUPS.exists() else ""
    roots = {CGROUP: "/", CGROUP / controller: "/"}
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            roots[CGROUP] = path
        elif controller in controllers.split(","):
            roots[CGROUP / controller] = path
    for root, path in roots.items():
        below = root / path.lstrip("/")
        for group in (below, *below.parents):
            if group.is_relative_to(root) and group.is_dir():
                yield group


def read_numbers(path: Path) -> list[int]:
    """The whole numbers in a file; none where there is no such file, or something else in it."""
    try:
        return [int(word) for word in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []


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
