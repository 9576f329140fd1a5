"""A part of what is deployed: `python -m deploy.part MODULE …` runs a module as one.

It prints JSON lines alone, if COLLAB_LOG asks for them: Prefect's log lines are such then, but not
its banner, what its command lines print, warnings, or what a web server says of its requests. And
its temporary files are this user's own: Prefect's worker makes a folder that it takes for its own
where another user's may be.
"""

import json
import os
import runpy
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TextIO

import flows  # before Prefect: what COLLAB_LOG asks of it


class Lines:
    """A text stream on which each line that is no JSON object becomes the message of one."""

    def __init__(self, stream: TextIO, name: str) -> None:
        """In place of a stream; a line says the name as its logger."""
        self.stream, self.name = stream, name
        self.lock, self.begun = RLock(), ""

    def __getattr__(self, name: str) -> object:
        """Whatever else a stream has."""
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Take text, and write the lines that it ends."""
        with self.lock:
            *lines, self.begun = (self.begun + text).split("\n")
            told = [as_json(line, self.name) for line in lines if line.strip()]
            self.stream.write("".join(f"{line}\n" for line in told))
        return len(text)

    def writelines(self, texts: list[str]) -> None:
        """Take several texts."""
        self.write("".join(texts))


def as_json(line: str, name: str) -> str:
    """A line as it is where it is a JSON object, else as the message of one."""
    try:
        if isinstance(json.loads(line), dict):
            return line
    except ValueError:
        pass
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    told = {"at": at, "level": "INFO", "logger": name, "message": line.rstrip()}
    return json.dumps(told, ensure_ascii=False)


def only_lines(name: str) -> None:
    """Have this process print JSON lines alone, if COLLAB_LOG asks for them."""
    if flows.log_settings():
        sys.stdout, sys.stderr = Lines(sys.stdout, name), Lines(sys.stderr, name)


def own_temporary_files() -> None:
    """Have this process, and none that it starts, make temporary files in a folder of this user."""
    folder = Path(tempfile.gettempdir()) / f"collab-parts-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    tempfile.tempdir = str(folder)


def main() -> None:
    """Run the module that is named, with the arguments after it."""
    sys.argv = sys.argv[1:]
    only_lines(sys.argv[0])
    own_temporary_files()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
