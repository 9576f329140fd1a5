"""`collab`: the published tables from the command line."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

import shtab

from collab.base.errors import CollabError
from collab.cli import commands

EPILOG = """examples:
  collab leaderboard
  collab similar "Silence of the Lambs"
  collab sql "FROM example_queries"

completion: eval "$(collab --print-completion bash)"    (or zsh, tcsh)
"""


class Commands:
    """The commands of a parser; each has a one-line help, an example and the shared options."""

    def __init__(self, parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
        """Ready to add to."""
        self._adder = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
        self._shared = shared

    def add(
        self, run: Callable[[argparse.Namespace], None], help_: str, example: str
    ) -> Callable[..., argparse.Action]:
        """Add a command named as its function; returns what adds its arguments."""
        parser = self._adder.add_parser(
            run.__name__,
            help=help_,
            description=help_[0].upper() + help_[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[self._shared],
        )
        parser.set_defaults(run=run)
        return parser.add_argument


def make_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    shared = argparse.ArgumentParser(add_help=False)
    complete(
        shared.add_argument(
            "--data-dir",
            metavar="DIR",
            default=argparse.SUPPRESS,  # or a command's default would undo what stands before it
            help="the pipeline's data folder (default: COLLAB_DATA_DIR or data)",
        ),
        shtab.DIRECTORY,
    )
    parser = argparse.ArgumentParser(
        prog="collab",
        description="The published tables, read-only. Only `rollback` changes what is served.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared],
    )
    shtab.add_argument_to(parser, "--print-completion", help="print a shell's completion script")
    to = Commands(parser, shared)
    add_queries(to)
    add_overviews(to)
    add_publications(to)
    return parser


def add_queries(to: Commands) -> None:
    """`sql`, `similar`, `bias`."""
    add = to.add(
        commands.sql, "run a query and show its rows", 'collab sql "FROM movie_bias_named LIMIT 5"'
    )
    add("query", help="SQL, in DuckDB's dialect")
    add("--csv", dest="form", action="store_const", const="csv", help="all rows as CSV")
    add("--json", dest="form", action="store_const", const="json", help="all rows as JSON")
    complete(add("--parquet", metavar="FILE", help="all rows into a Parquet file"), shtab.FILE)

    add = to.add(
        commands.similar, "show the movies most like one", 'collab similar "Silence of the Lambs"'
    )
    add("movie", help="a part of its title, or its id")
    add("-k", type=count, default=10, metavar="N", help="how many, up to 20 (default: 10)")

    add = to.add(
        commands.bias,
        "show the movies of the highest and of the lowest bias",
        "collab bias --top 5 --bottom 5 --min-ratings 50 --genre Drama",
    )
    add("--top", type=count, default=10, metavar="N", help="highest (default: 10)")
    add("--bottom", type=count, default=10, metavar="N", help="lowest (default: 10)")
    add(
        "--min-ratings",
        type=count,
        default=0,
        metavar="N",
        help="only movies with as many ratings: few make a bias uncertain (default: 0)",
    )
    add("--genre", metavar="NAME", help="only movies of a genre")


def add_overviews(to: Commands) -> None:
    """`status`, `leaderboard`, `history`, `report`."""
    to.add(commands.status, "show what is published, what runs, what failed", "collab status")
    to.add(commands.leaderboard, "show the current runs, best first", "collab leaderboard")
    add = to.add(
        commands.history,
        "show every run ever committed, oldest first",
        "collab history --variant dot_product_bias_wd",
    )
    add("--variant", metavar="NAME", help="only runs of a variant")
    add = to.add(commands.report, "say where the report is, or open it", "collab report --open")
    add("--open", action="store_true", help="open it in the browser")


def add_publications(to: Commands) -> None:
    """`snapshots`, `rollback`."""
    to.add(commands.snapshots, "list the publications, newest first", "collab snapshots")
    add = to.add(commands.rollback, "serve an earlier publication again", "collab rollback 41")
    add("seq", type=count, metavar="SEQ", help="its number; see `collab snapshots`")


def complete(action: argparse.Action, how: Any) -> None:
    """Tell shtab how an argument is completed."""
    action.complete = how  # type: ignore[attr-defined]


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    try:
        given = make_parser().parse_args(arguments, argparse.Namespace(data_dir=None))
        given.run(given)
        sys.stdout.flush()
    except CollabError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
