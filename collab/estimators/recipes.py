"""The variants, each as its difference from another (fastbook, chapter 8).

A new variant is one more recipe in `RECIPES`; a new estimator is one more module beside the others.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from collab.base.errors import CollabError, unknown_name
from collab.estimators.als import Als
from collab.estimators.api import Estimator, Recipe
from collab.estimators.bayes import (
    BayesianMF,
    BayesianOrdinal,
    BayesianPair,
    BayesianPairTime,
    BayesianTime,
)
from collab.estimators.bayes.settings import Sampled
from collab.estimators.bias_only import BiasOnly
from collab.estimators.sgd.dot_product import DotProduct, DotProductBias
from collab.estimators.sgd.estimator import Sgd
from collab.estimators.sgd.homework import RatingClasses, SideFeaturesNN
from collab.estimators.sgd.neural import CollabNN, EmbeddingNN
from collab.estimators.sgd.settings import Settings

BIASED: Mapping[str, Any] = {"n_factors": 50, "y_range": (0, 5.5)}
LAYERS: Mapping[str, Any] = {"layers": (100, 50), "y_range": (0, 5.5)}
DOT = Sgd(model=DotProduct, arguments={"n_factors": 50}, gradient="closed_form")
BIAS = DOT.but(model=DotProductBias, arguments=BIASED)

FAITHFUL: dict[str, tuple[Sgd, str]] = {
    "dot_product": (DOT, "users × movies"),
    "dot_product_sigmoid": (DOT.but(arguments=BIASED), "the same, squashed into (0, 5.5)"),
    "dot_product_bias": (BIAS, "with user and movie bias"),
    "dot_product_bias_wd": (BIAS.but(wd=0.1), "the same"),
    "dot_product_bias_params": (
        BIAS.but(wd=0.1, arguments={**BIASED, "plain": True}),
        "the same on parameters of our own",
    ),
    "embedding_dot_bias": (
        BIAS.but(wd=0.1, arguments={**BIASED, "factors_first": True}),
        "the book's library's own model",
    ),
    "collab_nn": (
        Sgd(model=CollabNN, arguments={"n_hidden": 100, "y_range": (0, 5.5)}),
        "embeddings, one hidden layer of 100",
    ),
    "embedding_nn": (
        Sgd(model=EmbeddingNN, arguments=LAYERS, wd=0.1),
        "embeddings, layers of 100 and 50 with batch norm",
    ),
}

# Few epochs of large batches. Every number was found on the training rows of ml-100k alone, by a
# search that `flows.search` has replaced (row_eps is the eps found, times its batch). The two that
# are dot_product_bias_wd under other names share its.
FAST_BIAS = {"epochs": 4, "batch_share": 0.3, "lr_max": 0.0131, "wd": 0.0237, "row_eps": 0.1038}
# The rule of the book's library makes tables of up to 600 columns, 170 million numbers at the size
# of ml-32m; up to ml-100k it stays below this.
NARROW: Mapping[str, Any] = {"widest": 128}
FAST: dict[str, dict[str, Any]] = {
    "dot_product": {
        "epochs": 8, "batch_share": 0.6, "lr_max": 0.0228, "wd": 0.033, "beta2": 0.9,
        "row_eps": 0.07218,
    },
    "dot_product_sigmoid": {
        "arguments": {"n_factors": 32, "y_range": (0, 5.5)},
        "epochs": 5, "batch_share": 0.3, "lr_max": 0.0117, "wd": 0.0513, "row_eps": 0.003108,
    },
    "dot_product_bias": {
        "epochs": 5, "batch_share": 0.4, "lr_max": 0.013, "wd": 0.0615, "row_eps": 0.124,
    },
    "dot_product_bias_wd": FAST_BIAS,
    "dot_product_bias_params": FAST_BIAS,
    "embedding_dot_bias": FAST_BIAS,
    "collab_nn": {
        "arguments": {"n_hidden": 100, "y_range": (0, 5.5), **NARROW},
        "epochs": 6, "batch_share": 0.2, "lr_max": 0.00357, "wd": 0.0936, "row_eps": 0.1517,
    },
    "embedding_nn": {
        "arguments": {**LAYERS, **NARROW},
        "epochs": 5, "batch_share": 0.4, "lr_max": 0.00373, "wd": 2.95, "row_eps": 0.1436,
    },
}  # fmt: skip

BOOK = "the fastai book, chapter 8"
SEARCHED = "training rows of ml-100k, split of seed 42"
INNER_FOLDS = "inner folds of the training rows of ml-100k, split of seed 42"
LITERATURE = "Koren 2010"
# Where a recipe was chosen on other rows than those of its kind: `flows.search` proposes entries.
CHOSEN_ON: dict[str, str] = {}


def faithful() -> list[Recipe]:
    """The chapter's eight, as it trains them."""
    return [
        Recipe(name=name, estimator=estimator, about=about, chosen_on=BOOK)
        for name, (estimator, about) in FAITHFUL.items()
    ]


def fast_base(name: str) -> Sgd:
    """What the settings of a fast recipe are changes of."""
    return FAITHFUL[name][0].but(beta2=0.95)


def fast() -> list[Recipe]:
    """The same models in a few epochs of large batches."""
    return [
        Recipe(
            name=f"fast_{name}",
            estimator=fast_base(name).but(**changes),
            about=f"{name}, large batches",
            chosen_on=SEARCHED,
        )
        for name, changes in FAST.items()
    ]


def classical() -> list[Recipe]:
    """What is solved in closed form."""
    return [
        Recipe(
            name="bias_only",
            estimator=BiasOnly(),
            about="user and movie means, shrunk",
            chosen_on=LITERATURE,
        ),
        Recipe(
            name="als",
            estimator=Als(),
            about="alternating least squares",
            chosen_on=f"{INNER_FOLDS}; its power also on made-up ratings of the size of ml-1m",
        ),
    ]


def bayesian() -> list[Recipe]:
    """Gibbs-sampled models; all but the first take minutes, and are trained by name."""
    told: list[tuple[str, Estimator, str]] = [
        (
            "bayesian_mf",
            BayesianMF(),
            "matrix factorisation, sampled: it knows how sure it is",
        ),
        (
            "bayesian_mf_ordinal",
            BayesianOrdinal(user_cuts=True),
            "the same, stars as ordered classes",
        ),
        (
            "bayesian_mf_time",
            BayesianTime(user_cuts=True),
            "the same, with session and week of the rating",
        ),
        (
            "bayesian_pair",
            BayesianPair(user_cuts=True),
            "two chains averaged, trees on what they leave",
        ),
        (
            "bayesian_pair_time",
            BayesianPairTime(user_cuts=True),
            "the same, with session and week of the rating",
        ),
    ]
    return [
        Recipe(name=name, estimator=estimator, about=about, chosen_on=INNER_FOLDS)
        for name, estimator, about in told
    ]


def homework() -> list[Recipe]:
    """What the chapter leaves to its reader, by the chapter's own settings; trained by name."""
    return [
        Recipe(
            name="cross_entropy",
            estimator=Sgd(model=RatingClasses, arguments={"n_factors": 50}, wd=0.1),
            about="stars as classes, their expected value",
            chosen_on=BOOK,
        ),
        Recipe(
            name="side_features",
            estimator=Sgd(model=SideFeaturesNN, arguments=LAYERS, wd=0.1),
            about="embedding_nn with genres, year and users' columns",
            chosen_on=BOOK,
        ),
    ]


def lazy() -> list[Recipe]:
    """The chapter's dot products by a step of the batch's rows alone; trained by name."""
    return [
        Recipe(
            name=f"lazy_{name}",
            estimator=estimator.but(lazy=True),
            about=f"{name}, only the rows of a batch stepped",
            chosen_on=BOOK,
        )
        for name, (estimator, _) in FAITHFUL.items()
        if estimator.gradient == "closed_form"
    ]


KINDS = (faithful, fast, classical, bayesian, homework, lazy)
GROUPS = {kind.__name__: [recipe.name for recipe in kind()] for kind in KINDS}
ALL, BASELINE = "all", "bias_only"
RECIPES = {
    recipe.name: replace(recipe, chosen_on=CHOSEN_ON.get(recipe.name, recipe.chosen_on))
    for kind in KINDS
    for recipe in kind()
}
DEFAULT = (*GROUPS["faithful"], *GROUPS["fast"], *GROUPS["classical"], "bayesian_mf")


def get_recipes(
    names: list[str] | None = None, epochs: int | None = None, chains: int | None = None
) -> list[Recipe]:
    """The recipes of some variants, each once and in the order named.

    Args:
        names: variants, and `faithful`, `fast`, `lazy`, `classical` or `bayesian` for all of a
            kind, `all` for every one there is; by default all but those that take minutes and the
            lazy ones.
        epochs: in place of each recipe's own, of those that are trained in epochs.
        chains: of those that are sampled, in place of one.

    Raises:
        CollabError: a name is unknown; names the nearest. Or the list is empty, or `epochs` or
            `chains` is below 1.
    """
    if names is not None and not names:
        raise CollabError(
            "The list of variants is empty. Name some, such as dot_product_bias_wd, or "
            f"{', '.join(GROUPS)} for all of a kind; for the default leave the option out."
        )
    groups = {**GROUPS, ALL: list(RECIPES)}
    wanted = [name for given in names or DEFAULT for name in groups.get(given, [given])]
    for name in wanted:
        if name not in RECIPES:
            raise unknown_name("variant", name, [*groups, *RECIPES])
    recipes = [RECIPES[name] for name in dict.fromkeys(wanted)]
    return [changed(recipe, epochs, chains) for recipe in recipes]


def changed(recipe: Recipe, epochs: int | None, chains: int | None) -> Recipe:
    """The recipe with other epochs or chains, where it has any."""
    estimator = recipe.estimator
    if epochs is not None and isinstance(estimator, Settings):
        return replace(recipe, estimator=estimator.but(epochs=epochs))
    if chains is not None and isinstance(estimator, Sampled):
        return replace(recipe, estimator=replace(estimator, chains=chains))
    return recipe
