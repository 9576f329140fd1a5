"""One member of an archive as rows: DuckDB reads it, with explicit columns and no guessing."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from collab.base.database import one_file
from collab.base.errors import CollabError
from collab.movielens.faults import csv_error, expected
from collab.movielens.layouts import Member
from collab.movielens.members import CHUNK, Members

INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})


@contextmanager
def lines(members: Members, member: Member) -> Iterator[str]:
    """The query of a member's lines, which can be run once.

    DuckDB would round 1.7 to the integer 2, so whole numbers come as DOUBLE, which holds every one
    there is; they become integers once none has a fraction.

    Raises:
        CollabError: the header is another one, or the member is damaged.
    """
    check_start(members, member)
    member = replace(member, encoding=encoding_of(members, member))
    kinds = {c: "DOUBLE" if kind in INTEGERS else kind for c, kind in member.columns.items()}
    with members.as_file(member) as path:
        yield csv_query(member, path, kinds)


def csv_query(member: Member, path: Path, kinds: dict[str, str]) -> str:
    """The query of a text like that of a member, its columns of these kinds."""
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    quote = literal(member.quote)
    return f"""
        FROM read_csv({one_file(path)}, auto_detect = false, columns = {{{columns}}},
            header = {member.header is not None}, delim = {literal(member.delimiter)},
            quote = {quote}, escape = {quote}, encoding = {literal(member.encoding)},
            hive_partitioning = false)"""


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
        raise CollabError(csv_error(members, member, str(error))) from error
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
                f"{kind}. {expected(member)}"
            )


def check_start(members: Members, member: Member) -> None:
    """Look at the first line; a swapped header would otherwise be accepted in silence.

    Raises:
        CollabError: the header is another one, or the text is UTF-16.
    """
    with members.opened(member) as file:
        line = file.readline(1000)
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise CollabError(f"{member.name} is written in UTF-16; save it as UTF-8.")
    found = line.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace").strip("\r\n")
    found = re.split(r"[\r\n]", found)[0]
    if member.header is not None and found != member.header:
        raise CollabError(
            f"{member.name}: the header is {found!r}, expected {member.header!r}. "
            "Columns in another order would be read as something else; mend the file."
        )


def encoding_of(members: Members, member: Member) -> str:
    """The encoding a member is written in: UTF-8 where a layout of Latin-1 was saved anew as that.

    Text of Latin-1 with any accent in it is no UTF-8. What begins with a byte order mark says that
    it is, and DuckDB passes over the mark.
    """
    if member.encoding != "latin-1":
        return member.encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    with members.opened(member) as file:
        first = chunk = file.read(CHUNK)
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "utf-8" if first.startswith(codecs.BOM_UTF8) else "latin-1"
    return "utf-8"


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
