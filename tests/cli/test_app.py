"""What all command lines of this project have in common."""

from pathlib import Path
from typing import Annotated

import pytest
from cyclopts import App, Parameter

from collab.base.errors import CollabError
from collab.cli.app import Count, command_names, make_app, option_names, run

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def app() -> App:
    """One command without a name, and one with."""
    made = make_app("python -m made", "Something to run.", "python -m made --seed 7")

    @made.default
    def main(
        *, seed: Count = 42, force: bool = False, where: Annotated[Path, Parameter("-w")] = Path()
    ) -> int | None:
        """Run it.

        Args:
            seed: Where it begins.
        """
        if force:
            raise CollabError("It cannot be forced.\nDo without.")
        return 3 if seed == 3 else None

    @made.command
    def broken(kind: str) -> None:
        """Fail."""
        raise {
            "ctrl-c": KeyboardInterrupt(),
            "import": ModuleNotFoundError("No module named 'torch'"),
            "refused": PermissionError(13, "Permission denied", "/srv/x"),
        }[kind]

    return made


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("", 0, ""),
        ("--seed 3", 3, ""),
        ("--force", 1, "error: It cannot be forced.\nDo without.\n"),
        ("broken ctrl-c", 130, ""),
        ("broken refused", 1, "error: /srv/x may not be read or written by this user.\n"),
        ("broken import", 1, "error: No module named 'torch'. Try `pip install "),
        ("--seed x", 2, "error: Invalid value for --seed: 'x' is no whole number from 0 on."),
        ("--sed 3", 2, "Did you mean --seed?\nUsage: python -m made "),
        ("--no-force", 2, "Unknown option: --no-force."),
        ("broken", 2, "See `python -m made broken --help`.\n"),
    ],
)
def test_exit_codes(app: App, capsys: Capture, typed: str, code: int, said: str) -> None:
    assert run(app, typed.split()) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert bool(printed.err) == bool(said)


def test_tokens_are_those_of_the_process_by_default(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["made", "--seed", "3"])
    assert run(app) == 3


def test_help(app: App, capsys: Capture) -> None:
    assert run(app, ["--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Usage: python -m made ")
    assert "--seed N" in printed
    assert "[default: 42]" in printed
    assert "False" not in printed
    assert printed.endswith("example:\n  python -m made --seed 7\n")


def test_names(app: App) -> None:
    assert command_names(app) == {"broken"}
    assert option_names(app) == {"--seed", "--force"}
    assert option_names(app["broken"]) == {"--kind"}
