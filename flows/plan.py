"""What a flow that trains is asked to do, and what is refused at its door."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from collab.base.errors import CollabError
from collab.base.machine import free_memory_gib
from collab.dataset.protocols import Protocol, require_seed
from collab.estimators.api import Recipe
from collab.estimators.recipes import ALL, get_recipes
from collab.movielens.editions import get_edition
from collab.release.regression import MAX_REGRESSION, require_sensible
from collab.runs.budget import Budget
from collab.runs.devices import find_slots
from flows.declared import declared

FOR_TABLES = 0.2  # of the minutes, besides them


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained.

    recipes: on the first protocol all of them.
    protocols: the first, and those on which the best are run again.
    as_of: only ratings up to this moment, UTC.
    seed: of weights, shuffling and sampling.
    budget: what all training may take; the further splits get what the first leaves of it.
    """

    recipes: list[Recipe]
    protocols: list[Protocol]
    as_of: datetime | None
    seed: int
    device: str
    budget: Budget

    @property
    def table_seconds(self) -> float:
        """What the tables that grow with users times movies, or runs times ratings, may take."""
        minutes = self.budget.minutes
        return float("inf") if minutes is None else minutes * 60 * FOR_TABLES


def plan(
    *,
    edition: str,
    variants: list[str] | None = None,
    epochs: int | None = None,
    chains: int | None = None,
    device: str = "auto",
    seed: int | None = None,
    protocol: str = "random",
    split_seed: int = 42,
    splits: list[int] | None = None,
    as_of: str | None = None,
    minutes: float | None = None,
    memory: float | None = None,
    max_regression: float = MAX_REGRESSION,
) -> Plan:
    """Refuse what cannot end well; variants, splits, seed and minutes not given are those declared.

    Raises:
        CollabError: an unknown edition, variant, protocol or device, a seed that no generator
            takes, a day that is none, or a limit that means nothing.
    """
    require_sensible(max_regression)
    get_edition(edition)
    release = declared(edition)
    seed = release.seed if seed is None else seed
    require_seed("seed", seed)
    if splits is None and (protocol, split_seed) == ("random", release.splits[0]):
        splits = release.splits
    variants = release.variants if variants is None else variants
    minutes = release.minutes if minutes is None else minutes
    return Plan(
        recipes=get_recipes(variants, epochs, chains),
        protocols=protocols(protocol, split_seed, splits),
        as_of=moment(as_of),
        seed=seed,
        device=device,
        budget=budget(variants, minutes, memory, len(find_slots(device))),
    )


def budget(variants: list[str], minutes: float, memory: float | None, slots: int) -> Budget:
    """What training may take; `all` variants are trained however long that is.

    Raises:
        CollabError: minutes or memory that are not above 0.
    """
    for name, value in (("minutes", minutes), ("memory", memory)):
        if value is not None and not 0 < value < float("inf"):
            raise CollabError(f"--{name} is {value:g}; expected a number above 0.")
    return Budget(
        minutes=None if ALL in variants else minutes,
        memory_gib=free_memory_gib() if memory is None else memory,
        slots=slots,
    )


def protocols(name: str, split_seed: int, splits: list[int] | None) -> list[Protocol]:
    """The first protocol and the further ones: as named by their seeds, else two of its kind.

    Raises:
        CollabError: none validates, or splits of a protocol that has no seed, or no split at all.
    """
    if name == "all":
        raise CollabError("--protocol all leaves no rows to measure errors on; choose another.")
    if splits and name != "random":
        raise CollabError(f"--splits are seeds of --protocol random, not of {name}.")
    if splits == []:
        raise CollabError("The list of splits is empty. Name seeds such as 42,1,2, or none at all.")
    first = Protocol(name=name, split_seed=splits[0] if splits else split_seed)
    if splits is None:
        return [first, *first.others()]
    return [replace(first, split_seed=seed) for seed in dict.fromkeys(splits)]


def moment(text: str | None) -> datetime | None:
    """A moment in UTC; a date stands for its last second.

    Raises:
        CollabError: it is neither a date nor a time stamp.
    """
    if text is None:
        return None
    try:
        if len(text) == len("1998-01-01"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CollabError(
            f"{text!r} is no day; expected one such as 1998-01-01 or 1998-01-01T12:00:00."
        ) from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
