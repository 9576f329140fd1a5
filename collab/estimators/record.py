"""Estimators as plain values, for run records and child processes."""

import importlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def to_record(estimator: Any) -> dict[str, Any]:
    """An estimator as plain values: its class and its hyperparameters."""
    values = {f.name: plain(getattr(estimator, f.name)) for f in fields(estimator)}
    return {"estimator": path_of(type(estimator)), **values}


def from_record(record: Mapping[str, Any]) -> Any:
    """The estimator that `to_record` wrote.

    Raises:
        ValueError: there is no such class now, or it has other hyperparameters.
    """
    values = {name: revived(value) for name, value in record.items() if name != "estimator"}
    try:
        return import_path(record["estimator"])(**values)
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"the estimator {record['estimator']} is not known: {error}") from error


def plain(value: Any) -> Any:
    """A hyperparameter for JSON; a class goes by its import path."""
    if isinstance(value, type):
        return {"class": path_of(value)}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def revived(value: Any) -> Any:
    """What `plain` was given; lists come back as tuples."""
    if isinstance(value, Mapping):
        if set(value) == {"class"}:
            return import_path(value["class"])
        return {name: revived(item) for name, item in value.items()}
    return tuple(revived(item) for item in value) if isinstance(value, list) else value


def path_of(kind: type) -> str:
    """The import path of a class, `module:Name`."""
    return f"{kind.__module__}:{kind.__qualname__}"


def import_path(path: str) -> Any:
    """What an import path names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
