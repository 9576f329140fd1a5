"""The variants, each as its difference from another (fastbook, chapter 8).

A new variant is one more recipe in `VARIANTS`; a new model is one more module beside the others.
"""

from collab.models.dot_product import DotProduct, DotProductBias, DotProductBiasParams
from collab.models.embedding_dot_bias import EmbeddingDotBias
from collab.models.neural import CollabNN, EmbeddingNN
from collab.movielens.editions import unknown_name
from collab.training.recipe import Recipe

Y_RANGE = (0, 5.5)

DOT_PRODUCT = Recipe(name="dot_product", model=DotProduct, arguments={"n_factors": 50})
DOT_PRODUCT_SIGMOID = DOT_PRODUCT.but(
    name="dot_product_sigmoid", arguments={"n_factors": 50, "y_range": Y_RANGE}
)
DOT_PRODUCT_BIAS = DOT_PRODUCT_SIGMOID.but(name="dot_product_bias", model=DotProductBias)
DOT_PRODUCT_BIAS_WD = DOT_PRODUCT_BIAS.but(name="dot_product_bias_wd", wd=0.1)
DOT_PRODUCT_BIAS_PARAMS = DOT_PRODUCT_BIAS_WD.but(
    name="dot_product_bias_params", model=DotProductBiasParams
)
EMBEDDING_DOT_BIAS = DOT_PRODUCT_BIAS_WD.but(name="embedding_dot_bias", model=EmbeddingDotBias)
COLLAB_NN = Recipe(
    name="collab_nn", model=CollabNN, arguments={"n_hidden": 100, "y_range": Y_RANGE}
)
EMBEDDING_NN = Recipe(
    name="embedding_nn",
    model=EmbeddingNN,
    arguments={"layers": (100, 50), "y_range": Y_RANGE},
    wd=0.1,
)

FAITHFUL: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        DOT_PRODUCT,
        DOT_PRODUCT_SIGMOID,
        DOT_PRODUCT_BIAS,
        DOT_PRODUCT_BIAS_WD,
        DOT_PRODUCT_BIAS_PARAMS,
        EMBEDDING_DOT_BIAS,
        COLLAB_NN,
        EMBEDDING_NN,
    )
}


VARIANTS = FAITHFUL


def get_recipes(names: list[str] | None = None, epochs: int | None = None) -> list[Recipe]:
    """The recipes of some variants, all by default, each once and in the order named.

    Raises:
        CollabError: a name is unknown; names the nearest. Or `epochs` is below 1.
    """
    wanted = list(dict.fromkeys(names)) if names else list(VARIANTS)
    for name in wanted:
        if name not in VARIANTS:
            raise unknown_name("variant", name, list(VARIANTS))
    recipes = [VARIANTS[name] for name in wanted]
    return recipes if epochs is None else [recipe.but(epochs=epochs) for recipe in recipes]
