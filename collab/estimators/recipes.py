"""The variants, each as its difference from another (fastbook, chapter 8).

A new variant is one more recipe in `VARIANTS`; a new model is one more module beside the others.
"""

from collab.base.errors import CollabError
from collab.estimators.sgd.dot_product import DotProduct, DotProductBias, DotProductBiasParams
from collab.estimators.sgd.embedding_dot_bias import EmbeddingDotBias
from collab.estimators.sgd.neural import CollabNN, EmbeddingNN
from collab.movielens.editions import unknown_name
from collab.estimators.sgd.recipe import Recipe

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


# Few epochs of large batches. Every number here was found by `benchmarks/search_recipes.py` on the
# training rows of ml-100k alone. The two that are dot_product_bias_wd under other names share its.
FAST_DOT_PRODUCT = DOT_PRODUCT.but(
    name="fast_dot_product",
    epochs=8,
    batch_share=0.6,
    lr_max=0.0228,
    wd=0.033,
    beta2=0.9,
    eps=4.66e-05,
)
FAST_DOT_PRODUCT_SIGMOID = DOT_PRODUCT_SIGMOID.but(
    name="fast_dot_product_sigmoid",
    arguments={"n_factors": 32, "y_range": Y_RANGE},
    epochs=5,
    batch_share=0.3,
    lr_max=0.0117,
    wd=0.0513,
    beta2=0.95,
    eps=4.01e-06,
)
FAST_DOT_PRODUCT_BIAS = DOT_PRODUCT_BIAS.but(
    name="fast_dot_product_bias",
    epochs=5,
    batch_share=0.4,
    lr_max=0.013,
    wd=0.0615,
    beta2=0.95,
    eps=0.00012,
)
FAST_DOT_PRODUCT_BIAS_WD = DOT_PRODUCT_BIAS_WD.but(
    name="fast_dot_product_bias_wd",
    epochs=4,
    batch_share=0.3,
    lr_max=0.0131,
    wd=0.0237,
    beta2=0.95,
    eps=0.000134,
)
FAST_DOT_PRODUCT_BIAS_PARAMS = FAST_DOT_PRODUCT_BIAS_WD.but(
    name="fast_dot_product_bias_params", model=DotProductBiasParams
)
FAST_EMBEDDING_DOT_BIAS = FAST_DOT_PRODUCT_BIAS_WD.but(
    name="fast_embedding_dot_bias", model=EmbeddingDotBias
)
FAST_COLLAB_NN = COLLAB_NN.but(
    name="fast_collab_nn",
    epochs=6,
    batch_share=0.2,
    lr_max=0.00357,
    wd=0.0936,
    beta2=0.95,
    eps=0.000294,
)
FAST_EMBEDDING_NN = EMBEDDING_NN.but(
    name="fast_embedding_nn",
    epochs=5,
    batch_share=0.4,
    lr_max=0.00373,
    wd=2.95,
    beta2=0.95,
    eps=0.000139,
)

FAST: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        FAST_DOT_PRODUCT,
        FAST_DOT_PRODUCT_SIGMOID,
        FAST_DOT_PRODUCT_BIAS,
        FAST_DOT_PRODUCT_BIAS_WD,
        FAST_DOT_PRODUCT_BIAS_PARAMS,
        FAST_EMBEDDING_DOT_BIAS,
        FAST_COLLAB_NN,
        FAST_EMBEDDING_NN,
    )
}
VARIANTS: dict[str, Recipe] = {**FAITHFUL, **FAST}
GROUPS = {"faithful": list(FAITHFUL), "fast": list(FAST)}


def get_recipes(names: list[str] | None = None, epochs: int | None = None) -> list[Recipe]:
    """The recipes of some variants, all by default, each once and in the order named.

    Args:
        names: variants, and `faithful` or `fast` for all of a kind.
        epochs: in place of each recipe's own.

    Raises:
        CollabError: a name is unknown; names the nearest. Or the list is empty, or `epochs` is
            below 1.
    """
    if names is not None and not names:
        raise CollabError(
            "The list of variants is empty. Name some, such as dot_product_bias_wd, or `faithful` "
            "or `fast` for all of a kind; for both leave the option out."
        )
    wanted = [name for given in names or GROUPS for name in GROUPS.get(given, [given])]
    for name in wanted:
        if name not in VARIANTS:
            raise unknown_name("variant", name, [*GROUPS, *VARIANTS])
    recipes = [VARIANTS[name] for name in dict.fromkeys(wanted)]
    return recipes if epochs is None else [recipe.but(epochs=epochs) for recipe in recipes]
