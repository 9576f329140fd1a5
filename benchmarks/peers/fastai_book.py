"""fastai: the book's dot product with biases and weight decay, by the book's own cell.

Loaders, batch size, schedule and decay are the book's; only the split is ours, since all peers
are measured on the same rows. Items are keyed by title, as in the book.

The loader that the cell gets from fastai 2.8 draws each epoch's rows with replacement, so that an
epoch sees 63% of them. The loader that takes each row once is still there to ask for, and comes
near the book's figures. Both are measured.
"""

import pandas as pd
import torch
from fastai.collab import TabularCollab
from fastai.data.block import TransformBlock
from fastai.layers import Embedding, sigmoid_range
from fastai.learner import DataLoaders, Learner
from fastai.losses import MSELossFlat
from fastai.tabular.core import Categorify, TabDataLoader
from fastai.torch_core import set_seed
from torch import Tensor, nn

from benchmarks.peers.cell import Cell, Predict, main

FACTORS, Y_RANGE = 50, (0, 5.5)
MODELS = {"book cell": None, "book cell, each row once": TabDataLoader}
EPOCHS, LR_MAX, DECAY, BATCH_SIZE = 5, 5e-3, 0.1, 64


class DotProductBias(nn.Module):
    """Score a user and an item by the product of their factors, plus a bias of each."""

    def __init__(self, n_users: int, n_items: int) -> None:
        """Make the tables as fastai draws them."""
        super().__init__()
        self.user_factors, self.user_bias = Embedding(n_users, FACTORS), Embedding(n_users, 1)
        self.item_factors, self.item_bias = Embedding(n_items, FACTORS), Embedding(n_items, 1)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the scores (B, 1) of the pairs (B, 2)."""
        users, items = pairs[:, 0], pairs[:, 1]
        product = (self.user_factors(users) * self.item_factors(items)).sum(dim=1, keepdim=True)
        score: Tensor = product + self.user_bias(users) + self.item_bias(items)
        scaled: Tensor = sigmoid_range(score, *Y_RANGE)
        return scaled


def fit(cell: Cell) -> Predict:
    """Train as the book does, which scores the validation rows after every epoch."""
    torch.set_num_threads(cell.threads)
    set_seed(cell.seed)
    loaders = load(cell)
    model = DotProductBias(*(len(loaders.classes[key]) for key in ("user_id", "title")))
    learner = Learner(loaders, model, loss_func=MSELossFlat())
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(EPOCHS, LR_MAX, wd=DECAY)

    def predict() -> Tensor:
        with learner.no_bar(), learner.no_logging():
            scores, _ = learner.get_preds(dl=loaders.valid)
        flat: Tensor = scores.squeeze(1)
        return flat

    return predict


def load(cell: Cell) -> DataLoaders:
    """Make the loaders that `CollabDataLoaders.from_df` makes, over a split that is given."""
    ratings = pd.concat([cell.train, cell.valid], ignore_index=True)
    parts = [*range(len(cell.train))], [*range(len(cell.train), len(ratings))]
    tables = TabularCollab(
        ratings[["user_id", "title", "rating"]],
        [Categorify],
        ["user_id", "title"],
        y_names=["rating"],
        y_block=TransformBlock(),
        splits=parts,
    )
    return tables.dataloaders(bs=BATCH_SIZE, dl_type=MODELS[cell.model])


if __name__ == "__main__":
    main("fastai", ["fastai", "torch", "numpy"], list(MODELS), fit)
