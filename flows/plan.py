"""What is refused at the door of a flow that trains."""

from collab.base.errors import CollabError
from collab.movielens.editions import get_edition
from collab.release.interpret import require_interpretable
from collab.release.regression import MAX_REGRESSION, require_sensible
from collab.runs.devices import find_slots
from collab.estimators.sgd.recipe import Recipe
from collab.estimators.recipes import get_recipes

MAX_SEED = 2**63 - 1


def plan(
    edition: str,
    variants: list[str] | None,
    epochs: int | None,
    device: str,
    seed: int,
    max_regression: float = MAX_REGRESSION,
) -> list[Recipe]:
    """Refuse what cannot end well; returns the recipes.

    Raises:
        CollabError: an unknown edition, variant or device, variants without biases, a seed that
            no generator takes, or a limit that means nothing.
    """
    require_seed(seed)
    require_sensible(max_regression)
    get_edition(edition)
    find_slots(device)
    recipes = get_recipes(variants, epochs)
    require_interpretable(recipes)
    return recipes


def require_seed(seed: int) -> None:
    """Refuse a seed that does not fit a generator.

    Raises:
        CollabError: it is negative or above 2**63 - 1.
    """
    if not 0 <= seed <= MAX_SEED:
        raise CollabError(f"The seed is {seed}, expected a number from 0 to {MAX_SEED}.")
