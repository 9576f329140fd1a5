"""What an analyst types, by the main function of `collab`, and what comes back."""

import pytest

from collab.cli import main

Capture = pytest.CaptureFixture[str]


def out(capsys: Capture, *arguments: str) -> str:
    """What a command that ends well prints."""
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def error(capsys: Capture, *arguments: str) -> str:
    """What a command that is refused says, in a line or two and without a traceback."""
    assert main(list(arguments)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    return printed.err


def cells(printed: str) -> list[list[str]]:
    """The cells of the printed tables' rows, without their headers."""
    lines = [line for line in printed.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
