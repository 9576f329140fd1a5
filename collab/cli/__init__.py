"""`collab`: the published tables from the command line."""

from collections.abc import Sequence

from collab.cli import overviews, publications, queries, sql  # noqa: F401  # each adds its commands
from collab.cli.app import run
from collab.cli.place import app


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    return run(app.meta, tokens)
