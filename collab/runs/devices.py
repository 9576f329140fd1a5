"""Which devices a run may use, and the lease that gives a device to one run at a time."""

import fcntl
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from collab.base.errors import CollabError
from collab.base.fingerprint import fingerprint
from collab.base.machine import free_memory_gib, usable_cores

POLL_SECONDS = 0.25
_rooms: dict[Path, threading.Semaphore] = {}  # for each queue, of this process's threads


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Room for one training run.

    kind: `cuda`, `mps` or `cpu`.
    index: which CUDA device; which share of the processors.
    threads: how many threads the run may use.
    """

    kind: str
    index: int
    threads: int

    @property
    def name(self) -> str:
        """For logs and the lease's lock, such as `cuda:1`."""
        return f"{self.kind}:{self.index}"

    @property
    def lock(self) -> str:
        """The name of the file that is locked while the slot is held."""
        return f"{self.kind}-{self.machine_index}.lock"

    @property
    def machine_index(self) -> str:
        """The device as the whole machine numbers it: CUDA_VISIBLE_DEVICES numbers anew."""
        visible = [d for d in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if d]
        return visible[self.index] if self.kind == "cuda" and visible else str(self.index)

    def environment(self) -> dict[str, str]:
        """What a child process needs to see this device alone, as its first."""
        threads = str(self.threads)
        seen = self.machine_index if self.kind == "cuda" else ""
        return {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "CUDA_VISIBLE_DEVICES": seen,
        }


def find_slots(device: str = "auto") -> list[Slot]:
    """The slots for a device as a user names it.

    auto is every CUDA device, else MPS, else the CPU with one slot for each core; `cuda` every
    CUDA device, `cuda:1` that one.

    Raises:
        CollabError: the name is unknown, or there is no such device.
    """
    kind, colon, index = device.partition(":")
    if kind not in {"auto", "cpu", "cuda", "mps"} or (
        colon and not (kind == "cuda" and index.isdecimal())
    ):
        raise CollabError(f"Unknown device {device!r}; expected auto, cpu, mps, cuda or cuda:N.")
    if kind == "cpu":
        return cpu_slots()
    found = accelerator_slots()
    if kind == "auto":
        return found or cpu_slots()
    wanted = [s for s in found if s.kind == kind and (not index or s.index == int(index))]
    if not wanted:
        there = ", ".join(slot.name for slot in found) or "none"
        raise CollabError(
            f"There is no device {device!r} here (accelerators found: {there}). "
            "Use --device auto or cpu."
        )
    return wanted


def cpu_slots() -> list[Slot]:
    """One slot of one thread for each core this process may use: small steps gain nothing more."""
    return [Slot(kind="cpu", index=index, threads=1) for index in range(usable_cores())]


def accelerator_slots() -> list[Slot]:
    """A slot for each CUDA device, else one for MPS where it is there."""
    import torch  # only here: it takes seconds to import

    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    threads = max(1, usable_cores() // max(1, cuda))
    if cuda:
        return [Slot(kind="cuda", index=index, threads=threads) for index in range(cuda)]
    if torch.backends.mps.is_available():
        return [Slot(kind="mps", index=0, threads=threads)]
    return []


def with_room(slots: list[Slot], mib: float) -> list[Slot]:
    """The first slots, as many as runs of so many MiB fit into the memory that is free.

    One at least: a run that is too large is refused before, where its memory is planned.
    """
    return slots[: max(1, int(free_memory_gib() * 1024 / mib))]


@contextmanager
def lease(slots: list[Slot], folder: Path | None = None) -> Iterator[Slot]:
    """Hold one of the slots, waiting for the first that is free.

    The locks are the kernel's: a holder that dies frees its slot. They are the machine's too, so
    that two pipelines share its devices; `folder` holds their files. Of a process's threads only
    as many as there are slots come to the locks, so that a process with many does not crowd out
    one with few.
    """
    folder = folder or Path(tempfile.gettempdir()) / f"collab-devices-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    names = " ".join(slot.lock for slot in slots)
    queue = folder / f"{fingerprint(slots=names)[:16]}.queue"
    with _rooms.setdefault(queue, threading.Semaphore(len(slots))):
        slot, lock = wait_for_slot(slots, queue)
        with lock:
            yield slot


def wait_for_slot(slots: list[Slot], queue: Path) -> tuple[Slot, IO[str]]:
    """The first slot that is free, and its lock, which is freed when it is closed.

    Whoever waits for the same slots waits for the lock of `queue`, without polling; its holder
    alone looks whether a slot is free. So a process that gives a slot back does not take it again
    before another that waited for it.
    """
    with queue.open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        while True:
            for slot in slots:
                if lock := take(queue.with_name(slot.lock)):
                    return slot, lock
            # at various moments, so that of two queues for one slot neither is always late
            time.sleep(POLL_SECONDS * random.uniform(1, 1.5))  # noqa: S311


def take(path: Path) -> IO[str] | None:
    """The lock of a file; None where another holds it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
