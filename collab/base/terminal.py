"""Standard output as this project writes to it."""

import sys

from rich.console import Console


def terminal(piped: int, *, soft_wrap: bool = False) -> Console:
    """A console that prints what it is given: no markup, no emoji, no colours of its own choice.

    Text comes from users and their archives, where `[x]` and `:cat:` mean themselves.

    Args:
        piped: how wide what goes into a pipe is, columns; on a terminal it is the terminal's width.
        soft_wrap: leave long lines to the terminal.
    """
    return Console(
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=soft_wrap,
        width=None if sys.stdout.isatty() else piped,
    )
