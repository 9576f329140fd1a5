"""Gradient-boosted trees on what the factors leave, grown by scikit-learn and kept as plain arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.base.errors import CollabError

FIELDS = {
    "feature": ("feature_idx", np.int32),
    "threshold": ("num_threshold", np.float64),
    "missing_left": ("missing_go_to_left", np.uint8),
    "left": ("left", np.int32),
    "right": ("right", np.int32),
    "value": ("value", np.float64),
}


@dataclass(frozen=True, kw_only=True)
class Boosting:
    """Hyperparameters: trees of so many leaves, each of at least so many rows; averaged over seeds."""

    trees: int
    rate: float = 0.03
    leaves: int = 15
    least: int = 100
    ridge: float = 10.0
    share: float = 0.5
    seeds: int = 5

    def grow(self, x: NDArray[Any], y: NDArray[Any], seed: int) -> "Trees":
        """Trees that predict y (n,) from x (n, f).

        Raises:
            CollabError: scikit-learn is not installed.
        """
        regressor = boosting_regressor()
        grown = [
            regressor(
                learning_rate=self.rate,
                max_iter=self.trees,
                max_leaf_nodes=self.leaves,
                min_samples_leaf=self.least,
                l2_regularization=self.ridge,
                max_features=self.share,
                early_stopping=False,
                random_state=seed * self.seeds + number,
            ).fit(x, y)
            for number in range(self.seeds)
        ]
        return Trees.of(grown)


def boosting_regressor() -> Any:
    """The class that grows trees.

    Raises:
        CollabError: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import (  # type: ignore[import-untyped]
            HistGradientBoostingRegressor,
        )
    except ImportError as error:
        raise CollabError(
            "The Bayesian pairs grow trees with scikit-learn, which is not installed. "
            'Install it with `pip install "collab[pair]"`, or train `bayesian_mf`.'
        ) from error
    return HistGradientBoostingRegressor


@dataclass(frozen=True)
class Trees:
    """All trees as one table of nodes.

    tables: by `FIELDS`, (nodes,); a leaf is its own left and right; `roots` (trees,); `depth` (1,);
        `base` (1,) is added to the sum of the leaves' values.
    """

    tables: dict[str, Tensor]

    @classmethod
    def of(cls, grown: list[Any]) -> "Trees":
        """The mean of several fitted regressors."""
        found: dict[str, list[NDArray[Any]]] = {name: [] for name in FIELDS}
        roots, begin, depth = [], 0, 0
        for regressor in grown:
            for (tree,) in regressor._predictors:  # there is no public way to the nodes
                nodes, own = tree.nodes, np.arange(len(tree.nodes))
                for name, (field, kind) in FIELDS.items():
                    values = nodes[field].astype(kind)
                    if name in ("left", "right"):
                        values = begin + np.where(nodes["is_leaf"], own, values)
                    found[name].append(values)
                roots.append(begin)
                begin, depth = begin + len(nodes), max(depth, int(nodes["depth"].max()))
        tables = {name: torch.from_numpy(np.concatenate(parts)) for name, parts in found.items()}
        tables["value"] = tables["value"] / len(grown)
        base = float(np.mean([np.ravel(regressor._baseline_prediction)[0] for regressor in grown]))
        tables["base"] = torch.tensor([base], dtype=torch.float64)
        return cls({**tables, "roots": torch.tensor(roots), "depth": torch.tensor([depth])})

    def predict(self, x: NDArray[Any]) -> Tensor:
        """Values (n,), float32, at features (n, f), where nan is missing."""
        features = torch.from_numpy(x).double()
        missing = features.isnan()
        total = self.tables["base"].repeat(len(x))
        row = torch.arange(len(x))
        for root in self.tables["roots"].tolist():
            node = torch.full((len(x),), root)
            for _ in range(int(self.tables["depth"])):
                node = self.step(features, missing, row, node)
            total += self.tables["value"][node]
        return total.float()

    def step(self, features: Tensor, missing: Tensor, row: Tensor, node: Tensor) -> Tensor:
        """The child (n,) that each row goes to; where it is at a leaf it stays."""
        tables = self.tables
        at = tables["feature"][node].long()
        left = features[row, at] <= tables["threshold"][node]
        left |= missing[row, at] & tables["missing_left"][node].bool()
        return torch.where(left, tables["left"][node], tables["right"][node]).long()
