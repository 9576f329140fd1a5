"""Single values as text: exactly for other programs, rounded for eyes."""

import json
import math
import struct
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

ITEMS_SHOWN = 8  # of a list on the terminal
DIGITS = 6  # of a number on the terminal that no format is given for
MINUTE = "%Y-%m-%d %H:%M %Z"  # of a moment, to the minute and with its zone
LARGE = 1e5, 1e15  # between them so many digits would be an exponent, and one decimal is shown


def exact(kind: str) -> Callable[[Any], Any]:
    """What makes a value of a column of a type one that Python writes in as few digits as needed.

    A FLOAT comes from DuckDB as a double: 0.1 as 0.10000000149011612.
    """
    ways: dict[str, Callable[[Any], Any]] = {"FLOAT": short, "FLOAT[]": shorts}
    return ways.get(kind, as_it_is)


def as_it_is(value: Any) -> Any:
    """The value."""
    return value


def short(value: float | None) -> float | None:
    """The double of fewest digits that is the same single-precision number."""
    if value is None or not math.isfinite(value):
        return value
    for digits in range(6, 9):
        rounded = float(f"{value:.{digits}g}")
        try:
            if struct.unpack("f", struct.pack("f", rounded))[0] == value:
                return rounded
        except OverflowError:  # rounded up beyond the largest
            continue
    return float(f"{value:.9g}")


def shorts(values: list[float | None] | None) -> list[float | None] | None:
    """The same of each of a list."""
    return None if values is None else [short(value) for value in values]


def plain(value: Any) -> Any:
    """A value as JSON can hold it: NaN and infinities are null, times are ISO 8601 with a zone."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, datetime):
        return zoned(value).isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)


def zoned(moment: datetime) -> datetime:
    """A moment with its zone: one that has none is UTC, as all of the published tables are."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def field(value: Any) -> str:
    """A value as a field of CSV: NULL is empty, an empty text is quoted, lists are JSON."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool | list | tuple | dict):
        value = json.dumps(plain(value), ensure_ascii=False)
    text = zoned(value).isoformat(" ") if isinstance(value, datetime) else str(value)
    if not text or any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def cell(value: Any, form: str = "", null: str = "") -> str:
    """A value for eyes: rounded as a format says, or to six digits.

    A number keeps all its digits before the point; a long list says how many items it has.
    """
    if value is None:
        return null
    if isinstance(value, datetime):
        value = zoned(value)
        return format(value, form) if form else str(value).replace("+00:00", " UTC")
    if form:
        return format(value, form)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.1f}" if LARGE[0] <= abs(value) < LARGE[1] else f"{value:.{DIGITS}g}"
    if isinstance(value, list):
        first = [cell(item, null="NULL") for item in value[:ITEMS_SHOWN]]
        rest = [f"… {len(value)} in all"] if len(value) > ITEMS_SHOWN else []
        return f"[{', '.join(first + rest)}]"
    return printable(json.dumps(plain(value), ensure_ascii=False) if isinstance(value, dict)
                     else str(value))  # fmt: skip


def printable(text: str) -> str:
    """A text without what moves a terminal's cursor or changes its colours; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" and c not in "\n\t" else c
        for c in text
    )
