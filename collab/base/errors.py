"""The exceptions that speak to the user."""

import difflib


class CollabError(Exception):
    """Something the user can mend; the text says what was found, what was expected and what to do.

    Command lines print it without a traceback and exit with 1.
    """


class TransientError(CollabError):
    """What may go well at another attempt, such as a connection that broke; tasks try it again."""


def unknown_name(kind: str, name: str, known: list[str]) -> CollabError:
    """The error for a name that is not on a list: says the nearest and all of them."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    return CollabError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(known)}.")
