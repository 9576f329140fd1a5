"""What a trained model says of movies and users: biases, similar movies, principal components."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from collab.errors import CollabError
from collab.training.recipe import Recipe
from collab.training.run import Run

PARTS = ("user_factors", "user_bias", "item_factors", "item_bias")
NEIGHBORS = 20
COMPONENTS = 3
BLOCK = 1024  # rows of the similarity matrix at once

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What a model learnt of the entities it saw in training: `ids` (n,), rows in their order.

    factors: (n, n_factors).
    bias: (n,), before the sigmoid, in its units.
    """

    ids: NDArray[np.int32]
    factors: Floats
    bias: Floats


def has_parts(weight_names: Iterable[str]) -> bool:
    """Whether a model has factors and a bias for users and items, by its weights' names."""
    names = {name.removesuffix(".weight") for name in weight_names}
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
        (run for run in runs if has_parts(load_file(run.folder / "model.safetensors"))),
        key=lambda run: float(run.record["mse"]),
    )


def load_factors(folder: Path, entity: str) -> Factors:
    """The factors and biases of a run's users or items; the unknown is left out."""
    weights = load_file(folder / "model.safetensors")
    named = {name.removesuffix(".weight"): value for name, value in weights.items()}
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


def similarity_table(found: Factors, k: int = NEIGHBORS) -> pd.DataFrame:
    """The k most similar of every item by the cosine of the factors: exact, itself excluded.

    Returns:
        `item_id, neighbor_id, rank, cosine`, k rows an item (fewer where there are fewer items).
    """
    unit = torch.nn.functional.normalize(torch.from_numpy(found.factors), dim=1)
    n, k = len(unit), min(k, len(unit) - 1)
    cosines = torch.empty(n, k)
    neighbors = torch.empty(n, k, dtype=torch.int64)
    for start in range(0, n, BLOCK):
        block = unit[start : start + BLOCK] @ unit.T  # (b, n)
        own = torch.arange(len(block))
        block[own, start + own] = -torch.inf
        part = slice(start, start + BLOCK)
        cosines[part], neighbors[part] = torch.topk(block, k, dim=1)
    return pd.DataFrame(
        {
            "item_id": np.repeat(found.ids, k),
            "neighbor_id": found.ids[neighbors.numpy().reshape(-1)],
            "rank": np.tile(np.arange(1, k + 1, dtype=np.uint8), n),
            "cosine": cosines.clamp(-1, 1).numpy().reshape(-1),
        }
    )


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
