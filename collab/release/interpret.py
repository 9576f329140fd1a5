"""What a trained model says of movies and users: biases, similar movies, principal components."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file

from collab.base.errors import CollabError
from collab.estimators.sgd.recipe import Recipe
from collab.runs.run import Run

PARTS = ("user_factors", "user_bias", "item_factors", "item_bias")
COMPONENTS = 3

Floats = NDArray[np.float32]
Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What a model learnt of the entities it saw in training: `ids` (n,), rows in their order.

    factors: (n, n_factors).
    bias: (n,), before the sigmoid, in its units.
    """

    ids: NDArray[np.int32]
    factors: Floats
    bias: Floats


def has_parts(weights: Iterable[str]) -> bool:
    """Whether a model has factors and a bias for users and items, by its weights' names."""
    names = {name.removesuffix(".weight") for name in weights}
    return names.issuperset(PARTS)


def require_interpretable(recipes: list[Recipe]) -> None:
    """Refuse a choice of variants none of which could supply the bias and similarity tables.

    Raises:
        CollabError: before anything is trained.
    """
    generator = torch.Generator()
    for recipe in recipes:
        if has_parts(recipe.build(2, 2, generator).state_dict()):
            return
    raise CollabError(
        f"None of the variants {', '.join(recipe.name for recipe in recipes)} has biases and "
        "factors to publish; add one that has, such as dot_product_bias_wd."
    )


def choose_champion(runs: list[Run]) -> Run:
    """The run with the lowest valid MSE among those whose model has the needed parts."""
    return min(
        (run for run in runs if has_parts(weight_names(run))),
        key=lambda run: float(run.record["mse"]),
    )


def weight_names(run: Run) -> list[str]:
    """The names of a run's weights; the weights themselves are not read."""
    with safe_open(run.folder / "model.safetensors", framework="numpy") as weights:
        return list(weights.keys())


def sigmoid_ends(run: Run) -> Range | None:
    """The ends of the sigmoid that a run's model predicts through, stars; None without one."""
    model = Recipe.from_json(run.record["recipe"]).build(2, 2, torch.Generator())
    ends: Range | None = getattr(model, "y_range", None)
    return ends


def load_factors(folder: Path, entity: str) -> Factors:
    """The factors and biases of a run's users or items; the unknown is left out.

    Raises:
        CollabError: a weight is NaN or infinite.
    """
    weights = load_file(folder / "model.safetensors")
    named = {name.removesuffix(".weight"): value for name, value in weights.items()}
    for name in (f"{entity}_factors", f"{entity}_bias"):
        if not np.isfinite(named[name]).all():
            raise CollabError(
                f"The run {folder.name} holds {name} that are not finite; nothing was published. "
                "Train it again with --force, or lower its lr_max."
            )
    vocabulary = pd.read_parquet(folder / "vocabulary.parquet")
    words = vocabulary[vocabulary["entity"] == entity]
    at = words["idx"].to_numpy()
    return Factors(
        ids=words["id"].to_numpy(),
        factors=named[f"{entity}_factors"][at],
        bias=named[f"{entity}_bias"].reshape(-1)[at],
    )


def bias_table(found: Factors, id_name: str) -> pd.DataFrame:
    """One row for each id: bias and rank, 1 for the highest; ties by id."""
    table = pd.DataFrame({id_name: found.ids, "bias": found.bias})
    table = table.sort_values(["bias", id_name], ascending=[False, True], ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1, dtype=np.int32))


def pca_table(found: Factors, chosen: NDArray[np.int32]) -> pd.DataFrame:
    """The first three principal components of the factors of some items.

    Components are centred and ordered by variance; each one's sign is set so that its largest
    loading is positive, which makes them the same in every run of the same factors.

    Returns:
        `item_id, pc1, pc2, pc3`, in the order of `chosen`.
    """
    row_of = {int(id_): row for row, id_ in enumerate(found.ids)}
    known = [int(id_) for id_ in chosen if int(id_) in row_of]
    x = found.factors[[row_of[id_] for id_ in known]].astype(np.float64)
    _, _, loadings = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    top = loadings[:COMPONENTS]
    top = top * np.sign(top[np.arange(len(top)), np.abs(top).argmax(axis=1)])[:, None]
    components = (x - x.mean(axis=0)) @ top.T
    columns: dict[str, Any] = {"item_id": np.array(known, dtype=np.int32)}
    for number in range(COMPONENTS):
        there = number < components.shape[1]
        columns[f"pc{number + 1}"] = components[:, number] if there else np.zeros(len(known))
    return pd.DataFrame(columns)
