"""What a search is asked to do, and what is refused at its door."""

from dataclasses import dataclass
from pathlib import Path

from collab.base.errors import CollabError
from collab.base.fingerprint import fingerprint
from collab.base.paths import DataDir
from collab.dataset.protocols import Protocol, require_seed
from collab.estimators.api import Recipe
from collab.estimators.recipes import BOOK, get_recipes
from collab.estimators.space import values_of
from collab.lake import Manifest
from collab.movielens.editions import get_edition
from collab.runs.devices import find_slots
from collab.search.study import require_optuna

MINUTES, MAX_COST = 30.0, 1.5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is searched: recipes, the splits within the outer one's training rows, the budget.

    max_cost: how many times the estimated cost of the present recipe a trial may have.
    """

    recipes: list[Recipe]
    inner: tuple[Protocol, Protocol]
    seed: int
    minutes: float
    max_cost: float
    device: str

    def folder(self, lake: Manifest, data: DataDir) -> Path:
        """Where what is found is written: the same question, the same folder."""
        key = fingerprint(
            data=lake.fingerprint,
            recipes=[recipe.to_json() for recipe in self.recipes],
            inner=[vars(protocol) for protocol in self.inner],
            budget=[self.seed, self.minutes, self.max_cost],
        )
        return data.search / f"{lake.edition}-{key[:12]}"


def plan(
    *,
    edition: str = "ml-100k",
    variants: list[str] | None = None,
    minutes: float = MINUTES,
    seed: int = 42,
    protocol: str = "random",
    split_seed: int = 42,
    max_cost: float = MAX_COST,
    device: str = "auto",
) -> Plan:
    """Refuse what cannot end well.

    Raises:
        CollabError: an unknown edition, variant, protocol or device, settings that are the book's,
            no budget, or Optuna is not installed.
    """
    require_optuna()
    require_seed("seed", seed)
    get_edition(edition)
    find_slots(device)
    if protocol == "all":
        raise CollabError("--protocol all leaves nothing out to judge by later; choose another.")
    if not (minutes > 0 and max_cost > 0):
        raise CollabError(f"--minutes {minutes:g} and --max-cost {max_cost:g}: both are above 0.")
    first, second = (Protocol(name=protocol, split_seed=split_seed, inner=n) for n in (1, 2))
    return Plan(
        recipes=searchable(variants),
        inner=(first, second),
        seed=seed,
        minutes=minutes,
        max_cost=max_cost,
        device=device,
    )


def searchable(variants: list[str] | None) -> list[Recipe]:
    """The recipes to search.

    Raises:
        CollabError: the settings of one are the book's, or it has none.
    """
    recipes = get_recipes(variants)
    if variants is None:
        return [recipe for recipe in recipes if recipe.chosen_on != BOOK]
    for recipe in recipes:
        if recipe.chosen_on == BOOK:
            raise CollabError(
                f"The settings of {recipe.name} are the book's own, and no better ones would be. "
                "Search another variant, such as one of `fast` or `classical`."
            )
        if not values_of(recipe.estimator):
            raise CollabError(f"{recipe.name} has no setting whose type says where to search it.")
    return recipes
