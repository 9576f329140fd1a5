"""Boosted trees on what the factors leave, grown by scikit-learn and kept as plain arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from collab.base.errors import CollabError

CHUNK = 1 << 16  # rows predicted at once
FIELDS = {
    "feature": ("feature_idx", np.int64),
    "threshold": ("num_threshold", np.float64),
    "missing_left": ("missing_go_to_left", np.bool_),
}


@dataclass(frozen=True, kw_only=True)
class Boosting:
    """Hyperparameters: trees of so many leaves of at least so many rows; seeds are averaged."""

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
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError as error:
        raise CollabError(
            "The Bayesian pairs grow trees with scikit-learn, which is not installed. "
            'Install it with `pip install "collab[boost]"`, or train `bayesian_mf`.'
        ) from error
    return HistGradientBoostingRegressor


@dataclass(frozen=True)
class Trees:
    """Trees of at most s splits and s + 1 leaves, as tables.

    tables: `feature`, `threshold`, `missing_left` (trees, s) of the splits; `path` (trees, s + 1,
        s): 1 or -1 where the way to a leaf goes left or right at a split, else 0; `turns` (trees,
        s + 1): how many splits are on the way; `value` of the leaves; `base` (1,): the constant.
    """

    tables: dict[str, Tensor]

    @classmethod
    def of(cls, grown: list[Any]) -> "Trees":
        """The mean of several fitted regressors."""
        nodes = [tree.nodes for model in grown for (tree,) in model._predictors]  # no public way
        width = max(1, max(int((1 - tree["is_leaf"]).sum()) for tree in nodes))
        parts = [tables_of(tree, width) for tree in nodes]
        tables = {name: torch.stack([part[name] for part in parts]) for name in parts[0]}
        tables["value"] /= len(grown)
        base = float(np.mean([np.ravel(model._baseline_prediction)[0] for model in grown]))
        return cls({**tables, "base": torch.tensor([base], dtype=torch.float64)})

    @classmethod
    def mean(cls, parts: "Sequence[Trees]") -> "Trees":
        """Trees that predict the mean of several."""
        width = max(part.tables["path"].shape[2] for part in parts)
        wide = [widened(part.tables, width) for part in parts]
        joint = {name: torch.cat([tables[name] for tables in wide]) for name in wide[0]}
        joint["value"] = joint["value"] / len(parts)
        return cls({**joint, "base": joint["base"].mean()[None]})

    def predict(self, x: NDArray[Any]) -> Tensor:
        """Values (n,), float32, at features (n, f), where nan is missing."""
        found = [self.predict_some(part) for part in torch.split(torch.from_numpy(x), CHUNK)]
        return torch.cat(found) if found else torch.zeros(0)

    def predict_some(self, x: Tensor) -> Tensor:
        """The same of not too many rows (n, f).

        A row is in the leaf all of whose turns it takes; nothing is branched on.
        """
        columns = x.mT.double().contiguous()
        missing = columns.isnan()
        tables, total = self.tables, self.tables["base"].repeat(len(x))
        for tree in range(len(tables["value"])):
            at = tables["feature"][tree]
            left = columns.index_select(0, at) <= tables["threshold"][tree][:, None]
            left |= missing.index_select(0, at) & tables["missing_left"][tree][:, None]
            taken = tables["path"][tree] @ (2 * left.float() - 1)
            here = taken == tables["turns"][tree][:, None]
            total += tables["value"][tree] @ here.double()
        return total.float()


def widened(tables: Mapping[str, Tensor], width: int) -> dict[str, Tensor]:
    """The same trees with room for `width` splits; leaves that there are not are never reached."""
    more = width - tables["path"].shape[2]
    found = {name: pad(tables[name], (0, more)) for name in (*FIELDS, "value")}
    found["path"] = pad(tables["path"], (0, more, 0, more))
    found["turns"] = pad(tables["turns"], (0, more), value=torch.inf)
    return {**found, "base": tables["base"]}


def tables_of(nodes: NDArray[Any], width: int) -> dict[str, Tensor]:
    """One tree, with room for `width` splits; leaves that there are not are never reached."""
    splits = np.flatnonzero(nodes["is_leaf"] == 0)
    leaves = np.flatnonzero(nodes["is_leaf"])
    ways = {0: np.zeros(width, dtype=np.float32)}
    for number, node in enumerate(splits):  # parents come before their children
        for side, turn in (("left", 1), ("right", -1)):
            ways[int(nodes[side][node])] = ways[int(node)] + turn * np.eye(width)[number]
    path, value = np.zeros((width + 1, width), dtype=np.float32), np.zeros(width + 1)
    turns = np.full(width + 1, np.inf, dtype=np.float32)
    for number, node in enumerate(leaves):
        path[number], value[number] = ways[int(node)], nodes["value"][node]
        turns[number] = np.abs(path[number]).sum()
    found = {"path": path, "turns": turns, "value": value}
    for name, (column, kind) in FIELDS.items():
        padded: NDArray[Any] = np.zeros(width, dtype=kind)
        padded[: len(splits)] = nodes[column][splits]
        found[name] = padded
    return {name: torch.from_numpy(array) for name, array in found.items()}
