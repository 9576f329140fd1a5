"""User and item means, shrunk: what every other model must beat."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Context
from collab.estimators.cost import Cost, Size, memory
from collab.estimators.space import Span

SECONDS = 2.5e-7  # for a rating
ROW_BYTES = 60  # two sums in float64


@dataclass(frozen=True, kw_only=True)
class BiasOnly:
    """stars = mean + item bias + user bias, each the shrunk mean of what is left (Koren 2010).

    item_ridge, user_ridge: how many ratings of bias 0 everyone is given besides their own.
    """

    uses_time: ClassVar[bool] = False
    passes: ClassVar[int] = 1
    explains: ClassVar[bool] = False
    item_ridge: Annotated[float, Span(low=0.5, high=50.0, log=True)] = 5.0
    user_ridge: Annotated[float, Span(low=0.5, high=50.0, log=True)] = 5.0

    def fit(self, train: Rows, context: Context) -> Iterator["Biases"]:
        """Items first, then users on what the items leave."""
        train = train.to(torch.device("cpu"))  # a few sums, in float64
        users, items = train.users.long(), train.items.long()
        mean = train.ratings.double().mean()
        left = train.ratings.double() - mean
        item_bias = shrunk_means(items, left, context.n_items, self.item_ridge)
        left -= item_bias[items]
        user_bias = shrunk_means(users, left, context.n_users, self.user_ridge)
        loss = float((left - user_bias[users]).square().mean())
        tables = {"mean": mean[None], "user_bias": user_bias, "item_bias": item_bias}
        tables["scale"] = torch.tensor(context.scale)
        yield Biases({name: table.float() for name, table in tables.items()}, loss)

    def cost(self, size: Size) -> Cost:
        """A few passes over the ratings."""
        numbers = size.n_users + size.n_items + 1
        mib = memory(size, numbers=numbers, copies=4, row_bytes=ROW_BYTES)
        return Cost(seconds=SECONDS * size.n_ratings, mib=mib, steps=1, numbers=numbers)

    def load(self, folder: Path) -> "Biases":
        """The model in a folder."""
        return Biases(load_file(folder / "model.safetensors"), float("nan"))


class Biases:
    """The means: `mean` (1,), `user_bias`, `item_bias`, and the `scale` to clip to (2,)."""

    def __init__(self, tables: dict[str, Tensor], train_loss: float) -> None:
        """Hold the tables."""
        self.tables, self.train_loss = tables, train_loss
        self.n_parameters = len(tables["user_bias"]) + len(tables["item_bias"]) + 1

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,)."""
        user_bias, item_bias = self.tables["user_bias"], self.tables["item_bias"]
        score = user_bias[rows.users.long().cpu()] + item_bias[rows.items.long().cpu()]
        low, high = self.tables["scale"].tolist()
        return (score + self.tables["mean"]).clamp(low, high)

    def save(self, folder: Path) -> None:
        """`model.safetensors`."""
        save_file(self.tables, folder / "model.safetensors")


def shrunk_means(at: Tensor, values: Tensor, n: int, ridge: float) -> Tensor:
    """Mean (n,) of the values of each index, `ridge` zeros counted in; 0 of none at all."""
    sums = torch.zeros(n, dtype=values.dtype, device=values.device).index_add_(0, at, values)
    return (sums / (torch.bincount(at, minlength=n) + ridge)).nan_to_num()
