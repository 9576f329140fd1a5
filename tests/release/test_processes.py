"""Publishing and reading at once, by real processes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collab.base.files import read_json
from collab.base.paths import DataDir
from collab.release.build import compare_with_parquet
from collab.release.snapshot import current_snapshot, list_snapshots, numbered
from tests.release.tiny import ROWS, publish, served

TINY = [sys.executable, "-m", "tests.release.tiny"]


def start(*arguments: object) -> subprocess.Popen[str]:
    """A process of `tiny`."""
    command = [*TINY, *(str(argument) for argument in arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str], said: str = "") -> str:
    """What a process printed; it must end well."""
    out, err = process.communicate(said, timeout=120)
    assert process.returncode == 0, err
    return out


@pytest.fixture
def readers(data: DataDir, serve: Path) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Four readers of the first publication, each ready: two that hold it, two that reconnect."""
    publish(serve, 1)
    started = {
        name: start("read", data.root, name.split()[0])
        for name in ("hold 1", "hold 2", "link", "client")
    }
    for reader in started.values():
        assert reader.stdout
        assert reader.stdout.readline() == "ready\n"
    yield started
    for reader in started.values():
        reader.kill()


def test_readers_see_whole_publications_while_twenty_land(
    data: DataDir, serve: Path, readers: dict[str, subprocess.Popen[str]]
) -> None:
    finish(start("publish", data.root, 2, 21, ROWS))
    for name, reader in readers.items():
        told = json.loads(finish(reader, "stop\n"))
        assert told["errors"] == [], name
        seen = told["seen"]
        assert len(seen) >= 20, name
        assert seen == sorted(seen), name
        if name.startswith("hold"):
            assert set(seen) == {1}
        else:
            assert len(set(seen)) > 5, "it saw publications land"
    assert served(serve) == 21
    assert read_json(serve / "latest.json")["seq"] == 21


def test_two_publishers_at_once_both_land(data: DataDir, serve: Path) -> None:
    both = [start("publish", data.root, first, first + 4, ROWS) for first in (100, 200)]
    for publisher in both:
        finish(publisher)
    snapshots = list_snapshots(serve)
    assert [snapshot.seq for snapshot in snapshots] == list(range(10, 0, -1))
    landed = [int(snapshot.record.key) for snapshot in snapshots]
    assert sorted(landed) == [*range(100, 105), *range(200, 205)]
    assert served(serve) == landed[0]


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_a_killed_publisher_leaves_a_whole_publication(
    data: DataDir, serve: Path, kills: int
) -> None:
    publish(serve, 1)
    moments = random.Random(0)  # noqa: S311
    for _ in range(kills):
        publisher = start("publish", data.root, 2, 1000, ROWS)
        assert publisher.stdout
        assert publisher.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0, 0.6))  # a publication takes about 0.1 s
        publisher.send_signal(signal.SIGKILL)
        publisher.communicate()
        now = current_snapshot(serve)
        assert now is not None
        assert served(serve) == int(now.record.key)
        compare_with_parquet(now.folder)
        for folder in numbered(serve / "snapshots"):
            assert (folder / "snapshot.json").exists(), "only finished ones bear a number"
    before = len(numbered(serve / "snapshots"))
    assert before > kills // 6, "they were killed while they published"
    published = publish(serve, 5000)
    assert published.seq == before + 1
    assert served(serve) == 5000
    assert not list((serve / "snapshots").glob("*.tmp"))


def test_a_writer_that_died_does_not_stop_the_next_publication(data: DataDir, serve: Path) -> None:
    publish(serve, 1)
    assert start("leave_wal", data.root).wait() == -signal.SIGKILL
    (wal,) = serve.rglob("*.wal")
    assert wal.parent.name == "000001", "it stays with its snapshot"
    publish(serve, 2)
    assert served(serve) == 2


def with_file_limit(data: DataDir, blocks: int) -> subprocess.CompletedProcess[str]:
    """Publish two million rows where a file may not grow over so many KiB."""
    command = f'ulimit -f {blocks}; exec "$@"'
    return subprocess.run(
        ["bash", "-c", command, "-", *TINY, "publish", str(data.root), "2", "2", "1000000"],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("blocks", [10, 1000, 6000])
def test_a_full_disk_is_an_error_and_the_last_publication_stands(
    data: DataDir, serve: Path, blocks: int
) -> None:
    publish(serve, 1)
    done = with_file_limit(data, blocks)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: Publishing failed and the last publication stands: ")
    assert "MiB are free" in done.stderr
    assert "Traceback" not in done.stderr
    assert served(serve) == 1
    assert [path.name for path in (serve / "snapshots").iterdir()] == ["000001"]
    assert publish(serve, 3).seq == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said_so(data: DataDir, tmp_path: Path) -> None:
    data.serve.mkdir(parents=True)
    data.serve.chmod(0o555)
    done = start("publish", data.root, 1, 1, ROWS)
    _, err = done.communicate()
    assert "cannot be written" in err
