"""Standard output and its mishaps: characters it cannot hold, a full disk, a reader that left."""

import codecs
import contextlib
import errno
import io
import os
import sys
import unicodedata

CLOSED_PIPE = 141  # 128 and SIGPIPE: what a shell sees of head's other end
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
NEAREST = "collab.nearest"
NEAR = {"±": "+-", "…": "...", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"',
        "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "×": "x"}  # fmt: skip
replaced: set[str] = set()


def nearest(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks: the letter without its accent, or `?`."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    replaced.add(error.encoding)
    return "".join(map(near, lacking)), error.end


def near(character: str) -> str:
    """The nearest of ASCII."""
    if "\u2500" <= character <= "\u257f":  # of the lines of a box
        return "-" if character in "─━" else "|" if character in "│┃" else "+"
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return NEAR.get(character) or bare or "?"


codecs.register_error(NEAREST, nearest)


def prepare() -> None:
    """Let standard output and error replace what they cannot hold; a closed one goes nowhere."""
    replaced.clear()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and stream.errors != NEAREST:
            stream.reconfigure(errors=NEAREST)


def finish() -> None:
    """Write what is still to be written, and say so where characters were replaced."""
    sys.stdout.flush()
    for encoding in sorted(replaced):
        complain(
            f"note: {encoding} lacks some characters, and others stand for them. "
            "PYTHONIOENCODING=utf-8 writes all."
        )


def write(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(text)


def complain(text: str) -> None:
    """A line on standard error, if that takes any."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def holds_all() -> bool:
    """Whether standard output can hold every character."""
    return (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def give_up() -> None:
    """Let what could not be written go nowhere, so that the end of the process is quiet."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
