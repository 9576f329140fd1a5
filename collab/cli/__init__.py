"""`collab`: the published tables from the command line."""

from collections.abc import Sequence

# each adds its commands
from collab.cli import changes, overviews, people, publications, queries, sql  # noqa: F401
from collab.cli.app import run
from collab.cli.place import app


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    return run(app.meta, tokens)
