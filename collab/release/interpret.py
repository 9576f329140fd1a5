"""What a model says of movies and users: biases, and principal components of the factors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.base.errors import CollabError
from collab.dataset.dataset import load_dataset
from collab.dataset.rows import Rows
from collab.estimators.api import Factors, Fitted, HasFactors
from collab.runs.record import Run

COMPONENTS = 3

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What a model learnt of the entities it saw in training: `ids` (n,), rows in their order.

    factors: (n, n_factors).
    bias: (n,), in the units of the score.
    """

    ids: NDArray[np.int32]
    factors: Floats
    bias: Floats


@dataclass(frozen=True, kw_only=True)
class Model:
    """A run's model: itself, and as tables: users, items, and how a score becomes stars.

    train: the rows it was trained on, by user.
    factors, items: with item biases as `centred` makes them.
    """

    run: Run
    fitted: Fitted
    train: Rows
    users: Learnt
    items: Learnt
    factors: Factors


def load_model(run: Run) -> Model:
    """The tables of a run; the unknown is left out. What they predict is cut to the ratings' scale.

    Raises:
        CollabError: a number in them is NaN or infinite.
    """
    fitted = run.recipe.estimator.load(run.folder)
    assert isinstance(fitted, HasFactors)
    rows = load_dataset(run.folder.parent.parent / "datasets" / run.record.dataset)
    train = rows.train()
    found = centred(fitted.factors(), train.items)
    return Model(
        run=run,
        fitted=fitted,
        train=train,
        users=learnt("user", rows.users.ids, found.user_factors, found.user_bias, run),
        items=learnt("item", rows.items.ids, found.item_factors, found.item_bias, run),
        factors=replace(found, clip=found.clip or rows.scale),
    )


def centred(found: Factors, items: Tensor) -> Factors:
    """The same model with item biases whose mean over the ratings is 0.

    What the biases have in common moves to the mean, so every score stays as it is, and so do the
    factors and the bias of a new user. A bias then says how an item differs from what is rated on
    the whole.

    Args:
        found: the model's tables.
        items: the item of each rating (n,).
    """
    counts = torch.bincount(items, minlength=len(found.item_bias)).double()
    shift = float(counts @ found.item_bias.double() / counts.sum())
    return replace(found, mean=found.mean + shift, item_bias=found.item_bias - shift)


def learnt(entity: str, ids: NDArray[np.int32], factors: Any, bias: Any, run: Run) -> Learnt:
    """One side's tables without row 0."""
    for name, table in (("factors", factors), ("bias", bias)):
        if not bool(table.isfinite().all()):
            raise CollabError(
                f"The run {run.run_id} holds {entity}_{name} that are not finite; nothing was "
                "published. Train it again with --force, or change its recipe."
            )
    return Learnt(
        ids=np.asarray(ids),
        factors=np.ascontiguousarray(factors[1:].numpy()),
        bias=np.ascontiguousarray(bias[1:].numpy()),
    )


def bias_table(found: Learnt, id_name: str) -> pd.DataFrame:
    """One row for each id: bias and rank, 1 for the highest; ties by id."""
    table = pd.DataFrame({id_name: found.ids, "bias": found.bias})
    table = table.sort_values(["bias", id_name], ascending=[False, True], ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1, dtype=np.int32))


Components = Callable[[NDArray[np.int64]], tuple[NDArray[np.float64], NDArray[np.float64]]]


def pca_table(
    found: Learnt, chosen: NDArray[np.int32], of: Components | None = None
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """The first three principal components of some items.

    Args:
        found: the items and what the model learnt of them.
        chosen: ids; those that training never saw are left out.
        of: the scores (m, n) of rows (m,) and the share of the variance that each explains (n,); by
            default of the factors.

    Returns:
        `item_id, pc1, pc2, pc3`, in the order of `chosen`, and the shares.
    """
    row_of = pd.Series(np.arange(len(found.ids)), index=found.ids)
    known = chosen[np.isin(chosen, found.ids)]
    at = row_of[known].to_numpy(np.int64)
    scores, shares = of(at) if of else components(found.factors[at])
    columns: dict[str, Any] = {"item_id": known.astype(np.int32)}
    for number in range(COMPONENTS):
        there = number < scores.shape[1]
        columns[f"pc{number + 1}"] = scores[:, number] if there else np.zeros(len(known))
    return pd.DataFrame(columns), shares


def components(factors: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first principal components of factors (m, k): scores (m, n), share of the variance (n,).

    Components are centred and ordered by variance; each one's sign is set so that its largest
    loading is positive, which makes them the same in every run of the same factors.
    """
    x = factors.astype(np.float64)
    x = x - x.mean(axis=0)
    _, values, loadings = np.linalg.svd(x, full_matrices=False)
    top = loadings[:COMPONENTS]
    top = top * np.sign(top[np.arange(len(top)), np.abs(top).argmax(axis=1)])[:, None]
    return x @ top.T, (values**2 / max(float((values**2).sum()), 1e-300))[:COMPONENTS]
