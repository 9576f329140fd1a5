"""What is refused at the door of a flow that trains."""

from collab.movielens.editions import get_edition
from collab.publish.interpret import require_interpretable
from collab.publish.regression import MAX_REGRESSION, require_sensible
from collab.training.devices import find_slots
from collab.training.recipe import Recipe
from collab.training.recipes import get_recipes


def plan(
    edition: str,
    variants: list[str] | None,
    epochs: int | None,
    device: str,
    max_regression: float = MAX_REGRESSION,
) -> list[Recipe]:
    """Refuse what cannot end well; returns the recipes.

    Raises:
        CollabError: an unknown edition, variant or device, variants without biases, or a limit
            that means nothing.
    """
    require_sensible(max_regression)
    get_edition(edition)
    find_slots(device)
    recipes = get_recipes(variants, epochs)
    require_interpretable(recipes)
    return recipes
