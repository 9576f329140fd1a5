"""Processes are ended with all that they started, and never another that has their pid."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import psutil
import pytest

from deploy import processes, worker
from deploy.processes import descendants, end, end_all, lives, rotate

# says when it is there and when it is asked to end; with `deep`, after a process of its own
NOTICES = """
import signal, subprocess, sys, time
name, file = sys.argv[1:3]
def say(text):
    with open(file, "a") as into:
        into.write(f"{text}\\n")
def ended(number, frame):
    say(f"{name} ended")
    sys.exit()
signal.signal(signal.SIGTERM, ended)
if name == "child":
    started = subprocess.Popen([sys.executable, "-c", sys.argv[3], "grandchild", file])
say(f"{name} there")
time.sleep(100)
"""
IGNORES = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("there", flush=True)
time.sleep(100)
"""
SLEEPS = "print('there', flush=True); import time; time.sleep(100)"
STARTS = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {SLEEPS!r}]).wait()
"""

Child = subprocess.Popen[str]


class Starter:
    """Starts Python processes; `end` leaves none behind."""

    def __init__(self) -> None:
        self.started: list[Child] = []

    def __call__(self, code: str, *arguments: str, until: int = 1) -> Child:
        """Start code that prints a line once it is there."""
        command = [sys.executable, "-c", code, *arguments]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.started.append(child)
        assert child.stdout
        if until:
            assert child.stdout.readline() == "there\n"
        return child

    def end(self) -> None:
        for child in self.started:
            for process in descendants(child.pid) if child.poll() is None else []:
                process.kill()
            child.kill()
            child.communicate()


@pytest.fixture
def started() -> Iterator[Starter]:
    """What starts processes for a test."""
    starter = Starter()
    yield starter
    starter.end()


def test_a_process_is_ended_after_what_it_started(started: Starter, tmp_path: Path) -> None:
    file = tmp_path / "notices"
    child = started(NOTICES, "child", str(file), NOTICES, until=0)
    while not file.exists() or "grandchild there" not in file.read_text():
        assert child.poll() is None
    (grandchild,) = descendants(child.pid)
    end(child)
    assert child.returncode == 0
    assert not lives(grandchild)
    said = file.read_text().splitlines()
    assert said[-2:] == ["grandchild ended", "child ended"]


def test_what_ignores_sigterm_is_killed(started: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.3)
    child = started(IGNORES)
    end(child)
    assert child.returncode == -9
    other = started(IGNORES)
    end_all([psutil.Process(other.pid)])
    assert other.wait(10) == -9


def test_a_process_that_was_given_the_pid_of_one_that_ended_is_left_alone(
    started: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = started(SLEEPS)
    with monkeypatch.context() as before:  # the one that had the pid was made at another time
        kind = type(psutil.Process(other.pid)._proc)
        before.setattr(kind, "create_time", lambda self, monotonic=False: 1.0)
        ended = psutil.Process(other.pid)
    assert not lives(ended)
    end_all([ended])
    assert lives(psutil.Process(other.pid))


def test_an_ended_process_has_nothing_left_to_end(started: Starter) -> None:
    ended = started("print('there', flush=True)")
    known = psutil.Process(ended.pid)
    ended.wait()
    assert not lives(known)
    assert descendants(ended.pid) == []
    end_all([known])
    parent = started(STARTS)
    ended.pid = parent.pid  # as if it had been given anew
    end(ended)
    assert parent.poll() is None
    assert all(lives(process) for process in descendants(parent.pid))
    assert len(descendants(parent.pid)) == 1


def test_a_zombie_does_not_live(started: Starter) -> None:
    child = started(SLEEPS)
    known = psutil.Process(child.pid)
    assert lives(known)
    known.kill()
    while known.status() != psutil.STATUS_ZOMBIE:  # until somebody waits for it
        pass
    assert not lives(known)


def test_a_log_that_grew_large_is_moved_aside_and_written_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG", 5)
    log = tmp_path / "server.log"
    rotate(None)
    rotate(log)
    with log.open("a") as writer:
        for text in ("first\n", "second\n"):
            writer.write(text)
            writer.flush()
            rotate(log)
            assert (log.read_text(), (tmp_path / "server.log.1").read_text()) == ("", text)
        writer.write("3\n")
    rotate(log)
    assert log.read_text() == "3\n"


def test_a_worker_that_is_asked_to_end_ends_its_runs_first(
    started: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "notices"
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def start(arguments: list[str], log: None, environment: object) -> Child:
        assert arguments[-2:] == ["--pool", "p"]
        child = started(NOTICES, "child", str(file), NOTICES, until=0)
        while not file.exists() or "grandchild there" not in file.read_text():
            assert child.poll() is None
        Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        return child

    monkeypatch.setattr(worker, "start", start)
    try:
        assert worker.main(["--pool", "p"]) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert file.read_text().splitlines()[-2:] == ["grandchild ended", "child ended"]
