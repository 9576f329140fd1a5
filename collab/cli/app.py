"""How every command line of this project is made and run."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter, Token

import collab
from collab.base.errors import CollabError


def make_app(name: str, about: str, *examples: str) -> App:
    """A command line without commands yet: its name, a sentence on it, lines to type."""
    return App(
        name=name,
        help=about,
        help_epilogue=shown(*examples),
        help_format="plaintext",
        version=collab.__version__,
        # no --no-open beside --open, and no word of a default that is none
        default_parameter=Parameter(negative=(), show_default=lambda x: str(x) if x else None),
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )


def shown(*examples: str) -> str:
    """Lines to type, as a help's last paragraph."""
    return "\n  ".join(["example:" if len(examples) == 1 else "examples:", *examples])


def run(app: App, tokens: Sequence[str] | None = None) -> int:
    """Run a command line (by default this process's), of an app or of its `meta`.

    Returns:
        The exit code: 1 for a CollabError or a package that is missing, 2 for what is no command
        line of the app, 130 for Ctrl-C; else what the command returned, or 0.
    """
    try:
        code = app(list(sys.argv[1:] if tokens is None else tokens))
        sys.stdout.flush()
    except CycloptsError as error:
        error.verbose = False
        typed = " ".join([app.name[0], *(error.command_chain or ())])
        sys.stderr.write(f"error: {error}\nSee `{typed} --help`.\n")
        return 2
    except CollabError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except ModuleNotFoundError as error:  # an analyst has none of what training needs
        sys.stderr.write(f"error: {error}. Try `pip install 'collab[train,flows]'`.\n")
        return 1
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code if isinstance(code, int) else 0


def command_names(app: App) -> set[str]:
    """The commands of an app, without its flags such as `--help`."""
    return {name for name in app if not name.startswith("-")}


def option_names(app: App) -> set[str]:
    """The long options, but `--help`, of an app, of its `meta` or of a command, `app["sql"]`."""
    arguments = app.assemble_argument_collection(default_parameter=Parameter(negative=()))
    names = {name for argument in arguments if argument.parse for name in argument.names}
    return {name for name in names if name.startswith("--")}


def whole_number(_: type, tokens: Sequence[Token]) -> int:
    """A whole number from 0 on."""
    text = tokens[0].value
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no whole number from 0 on.")
    return int(text)


Count = Annotated[int, Parameter(converter=whole_number, metavar="N")]
