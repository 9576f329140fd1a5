"""Folders are whole or not there."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from collab.base.files import (
    SEAL,
    commit_folder,
    committed,
    is_whole,
    sha256_file,
    write_atomically,
)


def build(folder: Path, text: str = "content") -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_text(text)


def entries(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


def test_a_folder_is_built_once(tmp_path: Path) -> None:
    final = tmp_path / "x"
    assert commit_folder(final, build)
    assert not commit_folder(final, lambda folder: pytest.fail("built again"))
    assert (final / "sub" / "a.txt").read_text() == "content"
    assert entries(tmp_path) == ["x"]


def test_force_builds_again(tmp_path: Path) -> None:
    final = tmp_path / "x"
    commit_folder(final, build)
    assert commit_folder(final, lambda folder: build(folder, "new"), force=True)
    assert (final / "sub" / "a.txt").read_text() == "new"
    assert entries(tmp_path) == ["x"]


@pytest.mark.parametrize("damage", ["change", "delete", "unseal", "garble"])
def test_a_damaged_folder_is_built_again(tmp_path: Path, damage: str) -> None:
    final = tmp_path / "x"
    commit_folder(final, build)
    if damage == "change":
        (final / "sub" / "a.txt").write_text("CONTENT")
    elif damage == "delete":
        (final / "sub" / "a.txt").unlink()
    elif damage == "unseal":
        (final / SEAL).unlink()
    else:
        (final / SEAL).write_text("[1, 2]")
    assert not is_whole(final)
    assert commit_folder(final, build)
    assert is_whole(final)


def test_a_failed_build_leaves_what_was_there(tmp_path: Path) -> None:
    final = tmp_path / "x"
    commit_folder(final, build)

    def fail(folder: Path) -> None:
        build(folder)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        commit_folder(final, fail, force=True)
    assert is_whole(final)
    assert entries(tmp_path) == ["x"]


def _build_for_ever(final: Path) -> None:
    def slow(folder: Path) -> None:
        build(folder)
        (final.parent / "started").touch()
        time.sleep(60)

    commit_folder(final, slow)


def test_a_killed_builder_leaves_no_lock_and_no_rest(tmp_path: Path) -> None:
    final = tmp_path / "x"
    process = multiprocessing.get_context("fork").Process(target=_build_for_ever, args=(final,))
    process.start()
    while not (tmp_path / "started").exists():
        time.sleep(0.01)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert not final.exists()
    assert commit_folder(final, build)
    assert entries(tmp_path) == ["started", "x"]


def test_an_atomic_write_replaces_and_leaves_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old")
    write_atomically(path, "näw")
    assert path.read_text(encoding="utf-8") == "näw"
    assert entries(tmp_path) == ["a.json"]


def test_sha256_is_the_standard_one(tmp_path: Path) -> None:
    (tmp_path / "abc").write_text("abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(tmp_path / "abc") == known


def test_only_whole_folders_with_plain_names_are_committed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("whole", "damaged"):
        commit_folder(tmp_path / name, build)
    (tmp_path / "damaged" / "sub" / "a.txt").write_text("else")
    (tmp_path / "whole").rename(tmp_path / ".whole.tmp-abc")
    commit_folder(tmp_path / "whole", build)
    (tmp_path / "a-file").touch()
    assert committed(tmp_path) == [tmp_path / "whole"]
    assert "damaged is damaged and left out" in caplog.text
    assert committed(tmp_path / "nowhere") == []
