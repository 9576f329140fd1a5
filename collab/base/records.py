"""Records: dataclasses that stand as JSON in committed folders, with a version of their shape."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def record_of(kind: type[T], values: Mapping[str, Any], schema: int, **given: Any) -> T:
    """A dataclass from the values of its JSON.

    Args:
        kind: the dataclass.
        values: the JSON; fields that `kind` does not know are passed over.
        schema: the version that is understood.
        given: fields that are not in the JSON, or not as they shall be.

    Raises:
        ValueError: the JSON is of another version, or a field is missing.
    """
    require_schema(values, schema)
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    known = {name: value for name, value in values.items() if name in names} | given
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(str(error)) from error


def require_schema(values: Any, schema: int) -> None:
    """Refuse what is no record of a version, before anything else of it is read.

    Raises:
        ValueError: it is of another version, or no record at all.
    """
    found = values.get("schema") if isinstance(values, Mapping) else None
    if found != schema:
        raise ValueError(f"schema {found}, expected {schema}")
