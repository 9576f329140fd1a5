"""Flow parameters: what the UI's form offers, and how they are typed on a command line."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, Token
from prefect import Flow

from collab.dataset.protocols import NAMES
from collab.estimators.recipes import ALL, GROUPS, RECIPES
from collab.movielens.editions import EDITIONS

if TYPE_CHECKING:  # the names are known when the registries have been read
    EditionName = str
    VariantName = str
    ProtocolName = str
else:
    EditionName = Literal[tuple(EDITIONS)]
    VariantName = Literal[(*GROUPS, ALL, *RECIPES)]
    ProtocolName = Literal[tuple(name for name in NAMES if name != "all")]  # some must validate


def names(_: Any, tokens: Sequence[Token]) -> list[str]:
    """A comma-separated list."""
    words = [word.strip() for token in tokens for word in token.value.split(",")]
    return [word for word in words if word]


def numbers(kind: Any, tokens: Sequence[Token]) -> list[int]:
    """A comma-separated list of whole numbers."""
    found = names(kind, tokens)
    if not all(word.isdecimal() for word in found):
        raise ValueError(f"{','.join(found)!r} is no list of whole numbers such as 42,1,2.")
    return [int(word) for word in found]


Variants = list[VariantName] | None
Names = Annotated[list[str] | None, Parameter(converter=names, metavar="A,B,C")]
Numbers = Annotated[list[int] | None, Parameter(converter=numbers, metavar="N,N")]


# on a command line any name may be typed: what is refused there names the nearest
TYPED = {"edition": str, "protocol": str, "variants": Names}


def as_command(flow: Flow[Any, Any], do: Callable[..., None]) -> Callable[..., None]:
    """A function with the parameters and the documentation of a flow.

    Args:
        flow: whose parameters are the options.
        do: called with all of them by name.
    """

    @wraps(flow.fn)
    def command(*given: Any, **named: Any) -> None:
        do(**signature.bind(*given, **named).arguments)

    own = inspect.signature(flow.fn)
    only_named = [
        parameter.replace(
            kind=inspect.Parameter.KEYWORD_ONLY,
            annotation=TYPED.get(parameter.name, parameter.annotation),
        )
        for parameter in own.parameters.values()
    ]
    signature = own.replace(parameters=only_named, return_annotation=None)
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    del command.__wrapped__
    return command
