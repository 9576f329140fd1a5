"""The one exception that speaks to the user."""


class CollabError(Exception):
    """Something the user can mend; the text says what was found, what was expected and what to do.

    Command lines print it without a traceback and exit with 1.
    """
