"""Which devices there are, and that each is held by one at a time."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from collab.base.errors import CollabError
from collab.runs import devices
from collab.runs.devices import Slot, find_slots, lease

CPU_SLOTS = [Slot(kind="cpu", index=0, threads=1)]
CUDA = [Slot(kind="cuda", index=index, threads=4) for index in range(2)]

# another process: with some threads it takes the slot again and again, until it is ended
OTHER = """
import sys, threading, time
from pathlib import Path
from typing import IO
from collab.runs.devices import Slot, lease

def work():
    while True:
        with lease([Slot(kind="cpu", index=0, threads=1)], Path(sys.argv[1])):
            print("held", flush=True)
            time.sleep(float(sys.argv[3]))

for _ in range(int(sys.argv[2])):
    threading.Thread(target=work).start()
"""


class Other:
    """A process that holds the slot."""

    def __init__(self, folder: Path, threads: int, seconds: float) -> None:
        self.log = folder / "held"
        command = [sys.executable, "-c", OTHER, str(folder), str(threads), str(seconds)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log)

    def held(self) -> int:
        """How often it got the slot."""
        return len(self.log.read_text().splitlines())


@contextmanager
def another_process(folder: Path, *, threads: int, seconds: float) -> Iterator[Other]:
    """A process that holds the slot by now."""
    other = Other(folder, threads, seconds)
    try:
        while not other.held():
            assert other.process.poll() is None
            time.sleep(0.01)
        yield other
    finally:
        other.process.kill()
        other.process.wait()


def start(count: int, target: Callable[[], None]) -> list[threading.Thread]:
    """Threads that would not keep a failed test from ending."""
    threads = [threading.Thread(target=target, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    """Wait for threads, but not forever."""
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def takers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The thread of each look at a lock."""
    seen: list[int] = []
    take = devices.take

    def noted(path: Path) -> IO[str] | None:
        seen.append(threading.get_ident())
        return take(path)

    monkeypatch.setattr(devices, "take", noted)
    return seen


def test_a_slot_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    slots = [Slot(kind="cpu", index=index, threads=1) for index in range(2)]
    at_once, most, lock = 0, 0, threading.Lock()

    def hold() -> None:
        nonlocal at_once, most
        with lease(slots, tmp_path):
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.05)
            with lock:
                at_once -= 1

    threads = [threading.Thread(target=hold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_threads_of_one_process_wait_without_polling(tmp_path: Path, takers: list[int]) -> None:
    def hold() -> None:
        with lease(CPU_SLOTS, tmp_path):
            pass

    with lease(CPU_SLOTS, tmp_path):
        threads = start(20, hold)
        time.sleep(0.4)
        assert len(takers) == 1  # this one's own
    join(threads)
    assert len(takers) == 21  # each found the slot free when it was its turn


def test_where_another_process_holds_the_slot_one_thread_looks(
    tmp_path: Path, takers: list[int]
) -> None:
    def hold() -> None:
        with lease(CPU_SLOTS, tmp_path):
            pass

    with another_process(tmp_path, threads=1, seconds=100):
        threads = start(10, hold)
        while len(takers) < 3:
            time.sleep(0.05)
        assert len(set(takers)) == 1
    join(threads)


def test_a_holder_that_dies_frees_its_slot(tmp_path: Path) -> None:
    with another_process(tmp_path, threads=1, seconds=100) as other:
        held = threading.Event()

        def hold() -> None:
            with lease(CPU_SLOTS, tmp_path):
                held.set()

        threads = start(1, hold)
        assert not held.wait(0.5)
        other.process.kill()
        join(threads)
        assert held.is_set()


def test_a_process_with_many_threads_does_not_crowd_out_another(tmp_path: Path) -> None:
    turns: list[int] = []  # how often the other process got the slot while this one waited

    def hold() -> None:
        for _ in range(3):
            before = other.held()
            with lease(CPU_SLOTS, tmp_path):
                turns.append(other.held() - before)
            while other.held() == before + turns[-1]:  # it is its turn
                time.sleep(0.01)

    with another_process(tmp_path, threads=8, seconds=0.1) as other:
        join(start(1, hold))
    assert sum(turns) < 20  # one or two each; without a queue they go on and on


def test_devices_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "accelerator_slots", lambda: CUDA)
    assert find_slots("auto") == find_slots("cuda") == CUDA
    assert find_slots("cuda:1") == [CUDA[1]]
    assert {slot.kind for slot in find_slots("cpu")} == {"cpu"}
    with pytest.raises(CollabError, match=r"no device 'cuda:2' here .*cuda:0, cuda:1"):
        find_slots("cuda:2")
    for unknown in ("gpu", "cpu:7", "mps:0", "auto:1", "cuda:", "cuda:x"):
        with pytest.raises(CollabError, match=f"Unknown device '{unknown}'"):
            find_slots(unknown)


def test_without_accelerators_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "accelerator_slots", list)
    assert {slot.kind for slot in find_slots("auto")} == {"cpu"}
    with pytest.raises(CollabError, match="accelerators found: none"):
        find_slots("cuda")


def test_a_child_sees_its_device_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert CUDA[1].environment()["CUDA_VISIBLE_DEVICES"] == "1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert CUDA[1].environment()["CUDA_VISIBLE_DEVICES"] == "5"
    assert CUDA[1].machine_index == "5"  # by which it is leased
    assert CPU_SLOTS[0].environment()["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.parametrize(("gib", "expected"), [(8.0, 4), (3.5, 3), (1.0, 1), (0.2, 1)])
def test_as_many_slots_as_runs_fit_into_the_memory_that_is_free(
    monkeypatch: pytest.MonkeyPatch, gib: float, expected: int
) -> None:
    monkeypatch.setattr(devices, "free_memory_gib", lambda: gib)
    slots = [Slot(kind="cpu", index=index, threads=1) for index in range(4)]
    assert devices.with_room(slots, 1024) == slots[:expected]
