"""Which of an estimator's hyperparameters are searched, and where.

The type of a field says so, beside its default:

    lr_max: Annotated[float, Span(low=1e-3, high=0.1, log=True)] = 5e-3

So do the arguments of a model, `n_factors: Annotated[int, Span(...)]`, for an estimator that has a
`model` and its `arguments`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, get_type_hints

ARGUMENTS = "arguments"
DIGITS = 3  # of a number that is tried, so that a recipe stays short

E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class Span:
    """The values that are tried, both ends included; log: evenly by their logarithm."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether they are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def rounded(self, value: float) -> float:
        """A value as it is tried."""
        return int(value) if self.whole else float(f"{value:.{DIGITS}g}")


Values = dict[str, Any]


def spans_of(estimator: Any) -> dict[str, Span]:
    """What is searched, by field; by `arguments.name` what belongs to its model."""
    own = annotated(type(estimator))
    found = {f.name: own[f.name] for f in fields(estimator) if f.name in own}
    if hasattr(estimator, ARGUMENTS):
        of_model = annotated(estimator.model.__init__)
        found |= {f"{ARGUMENTS}.{name}": span for name, span in of_model.items()}
    return found


def annotated(what: type | Callable[..., Any]) -> dict[str, Span]:
    """The spans in the annotations of a class or a function, by name."""
    hints = get_type_hints(what, include_extras=True)
    told = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return {
        name: span for name, extras in told.items() for span in extras if isinstance(span, Span)
    }


def values_of(estimator: Any) -> Values:
    """What an estimator has of what is searched; a model's argument only where it is given."""
    arguments: Mapping[str, Any] = getattr(estimator, ARGUMENTS, {})
    there = {f.name: getattr(estimator, f.name) for f in fields(estimator)}
    there |= {f"{ARGUMENTS}.{name}": value for name, value in arguments.items()}
    return {name: there[name] for name in spans_of(estimator) if name in there}


def with_values(estimator: E, values: Mapping[str, Any]) -> E:
    """The estimator with other values, as `values_of` names them."""
    prefix = f"{ARGUMENTS}."
    own = {name: value for name, value in values.items() if not name.startswith(prefix)}
    of_model = {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}
    if of_model:
        own[ARGUMENTS] = {**getattr(estimator, ARGUMENTS), **of_model}
    changed: E = replace(estimator, **own)  # type: ignore[type-var]
    return changed
