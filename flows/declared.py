"""The declared set of an edition: the variants and splits that are published of it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from collab.base.errors import CollabError

FILE = Path(__file__).with_name("releases.toml")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a release is trained with.

    variants: by name or by kind.
    splits: seeds; all variants run on the first, the best also on the others.
    seed: of the first weights, shuffling and sampling.
    minutes: what all training may take.
    """

    variants: list[str]
    splits: list[int]
    seed: int
    minutes: float


def declared(edition: str) -> Declaration:
    """What is declared of an edition: its own table, and for the rest the default.

    Raises:
        CollabError: the file holds something else.
    """
    try:
        tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
        return Declaration(**{**tables["default"], **tables.get(edition, {})})
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CollabError(
            f"{FILE} cannot be used ({error}). Expected a table [default] of variants, splits, "
            "seed and minutes, and tables of editions that replace some of them."
        ) from error
