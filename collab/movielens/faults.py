"""What is wrong with a member's text: DuckDB's report as a sentence with line and cause."""

import csv
import re

from collab.movielens.layouts import Member
from collab.movielens.members import Members

ENDS = {b"\r\n": "CRLF", b"\n": "LF", b"\r": "CR"}
END = re.compile(rb"\r\n|\n|\r")
DELIMITER = "\x1f"  # one character, as `csv` wants it
LINE = 1 << 16  # bytes of a line that are looked at


def csv_error(members: Members, member: Member, message: str) -> str:
    """A sentence on the line that DuckDB could not read, why, and what to do."""
    line = re.search(r"Line: (\d+)", message)
    content = re.search(r"Original Line: (.*)", message)
    found = re.search(
        r"(?m)^(?:Error when converting column|Expected Number of|Invalid unicode"
        r"|Value with unterminated quote) .*?"
        r"(?= to '\w+'|$)",  # a type to read by, not the one expected
        message,
    )
    if not line and (mixed := mixed_line_ends(members, member)):
        return f"{member.name}, {mixed}"
    where = f"{member.name}, line {line.group(1)}" if line else member.name
    text = content.group(1).strip() if content else ""
    shown = f" in {text[:80]!r}" if text else ""
    reason = (found.group() if found else message.strip().splitlines()[0]).strip().rstrip(".")
    return f"{where}: {reason}{shown}.{hint(member, reason, text)} {expected(member)}"


def expected(member: Member) -> str:
    """What the first columns must be, and what to do."""
    columns = [f"{name} {kind}" for name, kind in member.columns.items()]
    shown = ", ".join(columns[:5]) + (", …" if len(columns) > 5 else "")
    return f"Expected the columns {shown}; mend the file."


def hint(member: Member, reason: str, text: str) -> str:
    """The likely cause of what DuckDB reports, a sentence after a space; or nothing."""
    if "unterminated quote" in reason:
        if '\\"' in text:
            return ' A quote is escaped by a backslash; CSV doubles it: "".'
        return ' A quote is opened and never closed; CSV doubles one that is meant: "".'
    if "Invalid unicode" in reason:
        return " Save the file as UTF-8."
    (fields,) = csv.reader([text.replace(member.delimiter, DELIMITER)], delimiter=DELIMITER)
    if len(fields) > len(member.columns):
        remedy = "Put it in double quotes." if member.quote else "This layout cannot quote one."
        return f" Does a field hold the delimiter {member.delimiter!r}? {remedy}"
    return ""


def mixed_line_ends(members: Members, member: Member) -> str | None:
    """Where the end of a line is another than that of the first; None: nowhere."""
    first, number = None, 0
    with members.opened(member) as file:
        while text := file.readline(LINE):
            for end in END.findall(text):
                number += 1
                first = first or end
                if end != first:
                    return (
                        f"line {number}: it ends in {ENDS[end]}, those before it in "
                        f"{ENDS[first]}: mixed line ends. Write all alike."
                    )
    return None
