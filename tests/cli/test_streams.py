"""Output that cannot be written as it is, or at all."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from collab.base.errors import CollabError
from collab.cli import main
from collab.cli.app import make_app, run
from collab.cli.show import Shown, print_columns, say
from collab.cli.streams import near


class Lossy(io.TextIOWrapper):
    """Standard output of an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def text(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


TITLES = "SELECT title FROM movies WHERE movie_id = 3"


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize(
    "typed",
    [["sql", TITLES], ["sql", TITLES, "--csv"], ["similar", "3"], ["bias"], ["leaderboard"],
     ["status"], ["--help"], ["bias", "--help"], ["sql", "EXPLAIN FROM movies"]],
)  # fmt: skip
def test_every_encoding_holds_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], encoding: str,
    typed: list[str],
) -> None:  # fmt: skip
    screen = Lossy(encoding)
    monkeypatch.setattr("sys.stdout", screen)
    assert main(typed) == 0
    assert screen.text()
    if typed[:2] == ["sql", TITLES]:
        assert ("Amélie" if encoding != "ascii" else "Amelie") in screen.text()
        assert ("ascii lacks" in capsys.readouterr().err) == (encoding == "ascii")


@pytest.mark.usefixtures("data_dir")
def test_json_escapes_what_an_encoding_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Lossy("ascii")
    monkeypatch.setattr("sys.stdout", screen)
    assert main(["sql", TITLES, "--json"]) == 0
    assert json.loads(screen.text()) == [{"title": "Amélie of Montmartre (2001)"}]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("character", "stands"),
    [("é", "e"), ("ø", "o"), ("±", "+-"), ("│", "|"), ("┓", "+"), ("日", "?")],
)
def test_the_nearest_of_a_character(character: str, stands: str) -> None:
    assert near(character) == stands


FULL = [
    ["leaderboard"], ["sql", "FROM movies", "--csv"], ["bias", "--json"], ["similar", "4", "--md"],
    ["status"], ["examples"], ["report"], ["--help"], ["bias", "--help"], ["--version"],
]  # fmt: skip


@pytest.mark.usefixtures("data_dir")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("typed", FULL, ids=" ".join)
def test_a_full_disk_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert main(typed) == 1
    assert capsys.readouterr().err == (
        "error: The output cannot be written: No space left on device. Make room.\n"
    )


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize("typed", FULL, ids=" ".join)
def test_a_closed_pipe_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        assert main(typed) == 141
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_of_any_command_line_of_the_project(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_app("made", "Something.", "made")

    @made.default
    def command() -> None:
        """Print."""
        print_columns("Runs", [Shown("variant", ["als"])])
        say("Done.")

    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        assert run(made, []) == 141
    assert capsys.readouterr().err == ""


def test_another_error_of_the_system_is_not_hidden() -> None:
    made = make_app("made", "Something.", "made")

    @made.default
    def command() -> None:
        """Fail."""
        raise FileNotFoundError(2, "no such thing")

    with pytest.raises(FileNotFoundError):
        run(made, [])


def test_errors_are_told_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_app("made", "Something.", "made")

    @made.default
    def command() -> None:
        """Fail."""
        raise CollabError("No movie fits 'Été'.")

    screen = Lossy("ascii")
    monkeypatch.setattr("sys.stderr", screen)
    assert run(made, []) == 1
    assert screen.text() == "error: No movie fits 'Ete'.\n"


def test_as_a_process_nothing_is_said_at_its_end(data_dir: Path) -> None:
    """The interpreter would tell of what it cannot flush, and of streams that are closed."""
    collab = f"{sys.executable} -m collab.cli"
    lines = (
        f"{collab} sql --csv 'FROM range(100000)' | head -1; echo ${{PIPESTATUS[0]}}",
        f"{collab} leaderboard >&-; echo $?",
    )
    done = subprocess.run(["bash", "-c", "; ".join(lines)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("range\n141\n0\n", "")
