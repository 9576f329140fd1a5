"""How every command line of this project is made and run."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter, Token, UnusedCliTokensError
from cyclopts.help import format_usage

import collab
from collab.base.errors import CollabError
from collab.cli import streams
from collab.cli.show import Screen


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
        console=Screen(),
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
        The exit code: 1 for a CollabError, a package that is missing or output that cannot be
        written, 2 for what is no command line of the app, 130 for Ctrl-C, 141 where the reader of
        the output has left; else what the command returned, or 0.
    """
    streams.prepare()
    try:
        code = app(list(sys.argv[1:] if tokens is None else tokens))
        streams.finish()
    except CycloptsError as error:
        streams.complain(f"error: {mistyped(app, error)}")
        return 2
    except CollabError as error:
        streams.complain(f"error: {error}")
        return 1
    except ModuleNotFoundError as error:  # an analyst has none of what training needs
        streams.complain(f"error: {error}. Try `pip install 'collab[train,flows]'`.")
        return 1
    except BrokenPipeError:  # the reader, such as head, has seen enough
        streams.give_up()
        return streams.CLOSED_PIPE
    except PermissionError as error:
        streams.complain(f"error: {error.filename} may not be read or written by this user.")
        return 1
    except OSError as error:
        if error.errno not in streams.FULL:
            raise
        streams.give_up()
        streams.complain(f"error: The output cannot be written: {error.strerror}. Make room.")
        return 1
    except KeyboardInterrupt:
        return 130
    return code if isinstance(code, int) else 0


def mistyped(app: App, error: CycloptsError) -> str:
    """What is wrong with a command line, and how the command it is of is used."""
    error.verbose = False
    chain = list(error.command_chain or ())
    typed = " ".join([app.name[0], *chain])
    what = str(error)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        what = f"Unexpected: {' '.join(error.unused_tokens)}. Put what has spaces between quotes."
    # of an app's meta the name is that of the process
    usage = re.sub(r"^.*?(?= [A-Z\[]| --|$)", typed, str(format_usage(app, chain)).strip())
    return f"{what}\nUsage: {usage}\nSee `{typed} --help`."


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
