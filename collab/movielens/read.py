"""One member of an archive as rows: DuckDB reads it, with explicit columns and no guessing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from collab.base.errors import CollabError
from collab.movielens.layouts import Member
from collab.movielens.members import Members

INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})


@contextmanager
def lines(members: Members, member: Member) -> Iterator[str]:
    """The query of a member's lines, which can be run once.

    DuckDB would round 1.7 to the integer 2, so whole numbers come as DOUBLE, which holds every one
    there is; they become integers once none has a fraction.

    Raises:
        CollabError: the header is another one, or the member is damaged.
    """
    check_header(members, member)
    kinds = {c: "DOUBLE" if kind in INTEGERS else kind for c, kind in member.columns.items()}
    with members.as_file(member) as path:
        yield csv_query(member, path, kinds)


def csv_query(member: Member, path: Path, kinds: dict[str, str]) -> str:
    """The query of a text like that of a member, its columns of these kinds."""
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    quote = literal(member.quote)
    return f"""
        FROM read_csv({literal(str(path))}, auto_detect = false, columns = {{{columns}}},
            header = {member.header is not None}, delim = {literal(member.delimiter)},
            quote = {quote}, escape = {quote}, encoding = {literal(member.encoding)})"""


def read_member(
    con: duckdb.DuckDBPyConnection, members: Members, member: Member, table: str
) -> None:
    """Read one member into a view of the columns its layout declares.

    Raises:
        CollabError: a header or a value is not what the layout says; names the file and the line.
    """
    try:
        with lines(members, member) as query:
            con.execute(f"CREATE TABLE read_{table} AS {query}")
    except duckdb.Error as error:
        raise CollabError(csv_error(member, str(error))) from error
    refuse_fractions(con, member, f"read_{table}")
    typed = ", ".join(f"{quoted(c)}::{kind} AS {quoted(c)}" for c, kind in member.columns.items())
    con.execute(f"CREATE VIEW {table} AS SELECT {typed} FROM read_{table}")  # noqa: S608


def refuse_fractions(con: duckdb.DuckDBPyConnection, member: Member, table: str) -> None:
    """Stop where a column of integers holds anything else.

    Raises:
        CollabError: names the line of the first one.
    """
    for name, kind in member.columns.items():
        if kind not in INTEGERS:
            continue
        column = quoted(name)
        found = con.execute(
            f"SELECT rowid, {column} FROM {table} "  # noqa: S608
            f"WHERE try_cast({column} AS {kind}) IS DISTINCT FROM {column} ORDER BY rowid LIMIT 1"
        ).fetchone()
        if found:
            row, value = found
            line = row + (2 if member.header else 1)
            raise CollabError(
                f"{member.name}, line {line}: the column {column} holds {value!r}, which is no "
                f"{kind}. {_expected(member)}"
            )


def check_header(members: Members, member: Member) -> None:
    """Compare the first line; a swapped header would otherwise be accepted in silence."""
    if member.header is None:
        return
    with members.opened(member) as file:
        found = file.readline(1000).decode("utf-8", errors="replace").strip("\ufeff\r\n")
    if found != member.header:
        raise CollabError(
            f"{member.name}: the header is {found!r}, expected {member.header!r}. "
            "Columns in another order would be read as something else; mend the file."
        )


def csv_error(member: Member, message: str) -> str:
    """DuckDB's report of a bad line as one sentence with the line and what stands there."""
    line = re.search(r"Line: (\d+)", message)
    content = re.search(r"Original Line: (.*)", message)
    cause = re.search(
        r"(?m)^(?:Error when converting column|Expected Number of|Invalid unicode) .*?"
        r"(?= to '\w+'|$)",  # a type to read by, not the one expected
        message,
    )
    where = f"{member.name}, line {line.group(1)}" if line else member.name
    shown = f" in {content.group(1).strip()[:80]!r}" if content else ""
    reason = (cause.group() if cause else message.strip().splitlines()[0]).rstrip(".")
    return f"{where}: {reason}{shown}. {_expected(member)}"


def _expected(member: Member) -> str:
    """What the first columns must be, and what to do."""
    columns = [f"{name} {kind}" for name, kind in member.columns.items()]
    shown = ", ".join(columns[:5]) + (", …" if len(columns) > 5 else "")
    return f"Expected the columns {shown}; mend the file."


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
