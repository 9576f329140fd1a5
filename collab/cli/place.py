"""`collab` itself: the options that its commands share, typed before a command or after it."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
from cyclopts import CycloptsError, Group, Parameter, Token, UnknownCommandError, UnknownOptionError

from collab.base.paths import DataDir, data_dir
from collab.base.serving import edition_folder
from collab.cli.app import make_app
from collab.cli.rows import Rows, read
from collab.cli.show import say
from collab.client import connect

app = make_app(
    "collab",
    "The published tables, read-only. Only `rollback` and `gc` change anything.",
    "collab leaderboard",
    'collab similar "Silence of the Lambs"',
    "collab examples",
    'collab sql "FROM movie_bias_named LIMIT 5" --json',
    'eval "$(collab --print-completion bash)"',
)
Shared = Parameter(group=Group("Shared options"))
Shell = Literal["bash", "zsh", "fish"]


@dataclass(frozen=True)
class Place:
    """Which publication is meant, as named on the command line; None: as `collab.connect` does."""

    data_dir: Path | None
    edition: str | None

    @property
    def data(self) -> DataDir:
        """The data folder."""
        return data_dir(self.data_dir)

    @property
    def folder(self) -> Path:
        """The folder of the edition's publications."""
        return edition_folder(self.data, self.edition)

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The published tables: one snapshot for the whole command, whatever is published then."""
        return connect(self.data_dir, self.edition)

    def rows(self, sql: str, **values: Any) -> Rows:
        """The rows of a query, which names the values as `$name`, with their names and types."""
        return read(self.con, sql, values)

    def ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, which names the values as `$name`."""
        return self.con.execute(sql, values).fetchall()


Here = Annotated[Place, Parameter(parse=False)]


@app.meta.default
def collab(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    data_dir: Annotated[Path | None, Shared] = None,
    edition: Annotated[str | None, Shared] = None,
    print_completion: Annotated[Shell | None, Shared] = None,
) -> object:
    """Take the shared options, and hand the rest to the command.

    Args:
        data_dir: The pipeline's data folder; by default COLLAB_DATA_DIR, else data.
        edition: Whose publication; by default COLLAB_EDITION, else the only one.
        print_completion: Print a shell's completion script.
    """
    if print_completion:
        say(app.generate_completion(shell=print_completion))
        return 0
    try:
        command, bound, unparsed = app.parse_args(map(no_option, tokens))
    except (UnknownOptionError, UnknownCommandError) as error:
        raise with_shared(error) from error
    bound.arguments |= dict.fromkeys(unparsed, Place(data_dir, edition))
    return command(*bound.args, **bound.kwargs)


def no_option(token: str) -> str:
    """A token as typed, set apart where it only looks like an option: `-`, a query with a comment.

    Options have no spaces.
    """
    return re.sub(r"^(?=-$|--[^=]*\s)", " ", token)


def with_shared(error: UnknownOptionError | UnknownCommandError) -> CycloptsError:
    """The same error, which knows of the shared options too when it suggests the nearest."""
    shared = app.meta.assemble_argument_collection()
    if isinstance(error, UnknownOptionError):
        error.argument_collection.extend(shared)
    elif error.unused_tokens and error.unused_tokens[0].startswith("-"):
        token = Token(keyword=error.unused_tokens[0], source="cli")
        return UnknownOptionError(token=token, argument_collection=shared)
    return error
