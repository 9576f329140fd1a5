"""What a flow that trains is asked to do, and what is refused at its door."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from collab.base.errors import CollabError
from collab.dataset.protocols import Protocol, require_seed
from collab.estimators.api import Recipe
from collab.estimators.recipes import get_recipes
from collab.movielens.editions import get_edition
from collab.release.regression import MAX_REGRESSION, require_sensible
from collab.runs.devices import find_slots

MINUTES = 10.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained.

    recipes: on the first protocol all of them.
    protocols: the first, and those on which the best are run again.
    as_of: only ratings up to this moment, UTC.
    seed: of weights, shuffling and sampling.
    minutes: what the further splits may take.
    """

    recipes: list[Recipe]
    protocols: list[Protocol]
    as_of: datetime | None
    seed: int
    device: str
    minutes: float


def plan(
    *,
    edition: str,
    variants: list[str] | None = None,
    epochs: int | None = None,
    chains: int | None = None,
    device: str = "auto",
    seed: int = 42,
    protocol: str = "random",
    split_seed: int = 42,
    splits: list[int] | None = None,
    as_of: str | None = None,
    minutes: float = MINUTES,
    max_regression: float = MAX_REGRESSION,
) -> Plan:
    """Refuse what cannot end well.

    Raises:
        CollabError: an unknown edition, variant, protocol or device, a seed that no generator
            takes, a day that is none, or a limit that means nothing.
    """
    require_seed("seed", seed)
    require_sensible(max_regression)
    get_edition(edition)
    find_slots(device)
    return Plan(
        recipes=get_recipes(variants, epochs, chains),
        protocols=protocols(protocol, split_seed, splits),
        as_of=moment(as_of),
        seed=seed,
        device=device,
        minutes=minutes,
    )


def protocols(name: str, split_seed: int, splits: list[int] | None) -> list[Protocol]:
    """The first protocol and the further ones: as named by their seeds, else two of its kind.

    Raises:
        CollabError: none validates, or splits of a protocol that has no seed.
    """
    if name == "all":
        raise CollabError("--protocol all leaves no rows to measure errors on; choose another.")
    if splits and name != "random":
        raise CollabError(f"--splits are seeds of --protocol random, not of {name}.")
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
