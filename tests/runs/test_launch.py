"""A run's child process: what it says, how it ends, and that no other survives Ctrl-C."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from collab.base.errors import CollabError
from collab.runs import launch
from collab.runs.devices import Slot, lease
from collab.runs.launch import ChildDiedError, run_in_child
from collab.runs.spec import RunSpec
from collab.runs.stop import Child, Stop
from tests.runs.fake_child import LARGE, progress

SLOTS = [Slot(kind="cpu", index=0, threads=1)]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What launch needs to know of a run."""

    folder: Path
    does: str
    run_id: str = "ml-100k-bias_only-0123"
    ballast: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"does": self.does, "ballast": "x" * self.ballast}


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    """A stop of the test's own."""
    stop = Stop()
    monkeypatch.setattr(launch, "STOP", stop)
    return stop


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    """The children that are started; none is left."""
    children: list[Child] = []
    start = launch.start_child

    def noted(slot: Slot, channel: int) -> Child:
        children.append(start(slot, channel))
        return children[-1]

    monkeypatch.setattr(launch, "start_child", noted)
    yield children
    for child in children:
        child.kill()
        child.communicate()


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stop: Stop) -> None:
    """Children that train nothing, on locks of the test's own."""
    monkeypatch.setattr(launch, "CHILD", "tests.runs.fake_child")
    monkeypatch.setattr(launch, "lease", partial(lease, folder=tmp_path / "locks"))
    monkeypatch.setattr(launch, "load_run", lambda folder: folder)
    monkeypatch.setattr(launch, "log_result", lambda run: None)


def run(
    folder: Path,
    does: str,
    on_pass: Callable[[dict[str, Any]], None] = lambda event: None,
    **more: Any,
) -> tuple[Any, bool]:
    """A run whose child does something."""
    spec = cast(RunSpec, Spec(folder=folder / "run", does=does, **more))
    return run_in_child(spec, SLOTS, on_pass=on_pass)


def test_every_pass_is_told_in_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="collab")
    told: list[dict[str, Any]] = []
    assert run(tmp_path, "train", told.append) == (tmp_path / "run", True)
    assert told == [progress(1), progress(2)]
    assert caplog.messages[-2:] == [
        "ml-100k-bias_only-0123: pass 1 of 2, train loss 0.5000, 0.1 s",
        "ml-100k-bias_only-0123: pass 2 of 2, train loss 0.5000, valid MSE 0.5000, 0.1 s",
    ]


def test_a_run_that_another_committed_is_found(tmp_path: Path) -> None:
    assert run(tmp_path, "find") == (tmp_path / "run", False)


def test_what_a_child_prints_is_not_what_it_tells(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[dict[str, Any]] = []
    assert run(tmp_path, "print", told.append) == (tmp_path / "run", True)
    assert told == [progress(1), progress(2)]
    printed = capfd.readouterr()
    assert printed.out == ""
    assert '{"error": "a library\'s own words"}' in printed.err
    assert "printed by native code" in printed.err


def test_a_child_has_the_threads_of_its_slot(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    run(tmp_path, "environment", told.append)
    assert told[1]["threads"] == "1"


def test_a_childs_reason_is_the_users_error(tmp_path: Path, begun: list[Child]) -> None:
    with pytest.raises(CollabError, match=r"^The loss became NaN in epoch 1\.$"):
        run(tmp_path, "fail")
    assert begun[0].returncode is not None


@pytest.mark.parametrize(("does", "end"), [("die", "signal 9"), ("raise", "exit code 1")])
def test_a_child_that_dies_says_how(tmp_path: Path, does: str, end: str) -> None:
    with pytest.raises(ChildDiedError, match=f"ended with {end}$"):
        run(tmp_path, does)


def test_a_child_that_dies_before_it_reads_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD", "unread")
    with pytest.raises(ChildDiedError, match=r"ended with exit code 3$"):
        run(tmp_path, "train", ballast=LARGE)


def test_a_failure_of_whoever_listens_ends_the_child(tmp_path: Path, begun: list[Child]) -> None:
    def fail(event: dict[str, Any]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, "wait", fail)
    assert begun[0].returncode == -9


def test_a_child_ends_with_its_parent(tmp_path: Path, begun: list[Child]) -> None:
    receiving, sending = os.pipe()
    child = launch.start_child(SLOTS[0], sending)
    os.close(sending)
    launch.send(child, {"spec": {"does": "wait"}, "force": False})
    with os.fdopen(receiving) as events:
        assert events.readline()  # it trains
        assert child.stdin
        child.stdin.close()  # as when the parent is killed
        assert events.read() == ""
    assert child.wait(20) == 1


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    run(tmp_path, "train")
    before = open_descriptors()
    run(tmp_path, "train")
    with suppress(CollabError):
        run(tmp_path, "fail")
    assert open_descriptors() == before


def open_descriptors() -> int:
    """How many file descriptors this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_to_stop_ends_the_child_that_trains(tmp_path: Path, stop: Stop, begun: list[Child]) -> None:
    with pytest.raises(CollabError, match=r"^Interrupted\."):
        run(tmp_path, "wait", lambda event: None if stop() else pytest.fail("it knew no child"))
    assert begun[0].returncode == -15
    assert not stop.children
    with pytest.raises(CollabError, match=r"^Interrupted\."):
        run(tmp_path, "train")
    assert len(begun) == 1


def test_to_stop_while_another_thread_starts_a_child_ends_it_too(
    tmp_path: Path, stop: Stop, begun: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, found = launch.start_child, list[bool]()
    interrupt = threading.Thread(target=lambda: found.append(stop()))

    def start_late(slot: Slot, channel: int) -> Child:
        interrupt.start()
        while not stop.asked:
            pass
        return start(slot, channel)

    monkeypatch.setattr(launch, "start_child", start_late)
    with pytest.raises(CollabError, match=r"^Interrupted\."):
        run(tmp_path, "wait")
    interrupt.join(20)
    assert found == [True]
    assert begun[0].returncode == -15


def test_to_stop_in_the_thread_that_starts_a_child_ends_it_too(
    tmp_path: Path, stop: Stop, begun: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = launch.start_child

    def start_late(slot: Slot, channel: int) -> Child:
        assert not stop()  # as a signal's handler would; the child is not yet there
        return start(slot, channel)

    monkeypatch.setattr(launch, "start_child", start_late)
    with pytest.raises(CollabError, match=r"^Interrupted\."):
        run(tmp_path, "wait")
    assert begun[0].returncode == -15
