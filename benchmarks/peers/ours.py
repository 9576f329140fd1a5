"""This project's trainer, measured as the peers are: in an environment that holds it."""

from collections import deque

import torch

from benchmarks.peers.cell import Cell, Predict, main
from collab.evaluation.errors import predict
from collab.estimators.sgd.fit import fit
from collab.dataset.interactions import Ratings
from collab.dataset.prepare import prepare
from collab.estimators.recipes import VARIANTS
from collab.dataset.split import Split

CPU = torch.device("cpu")


def fit_variant(cell: Cell) -> Predict:
    """Make vocabularies, encode, draw and train; the predictor scores the validation rows."""
    torch.set_num_threads(cell.threads)
    n_train, n = len(cell.train), len(cell.train) + len(cell.valid)
    columns = {
        name: torch.cat([torch.tensor(part[name].to_numpy()) for part in (cell.train, cell.valid)])
        for name in ("user_id", "movie_id", "item_id", "rating")
    }
    columns["rating"] = columns["rating"].float()
    ratings = Ratings(**{name: column.numpy() for name, column in columns.items()})
    order = torch.arange(n)
    rows = prepare(ratings, Split(train=order[:n_train], valid=order[n_train:]), CPU)
    sizes = len(rows.users), len(rows.items)
    recipe = VARIANTS[cell.model].sized(*sizes)
    model = recipe.build(*sizes, torch.Generator().manual_seed(cell.seed))
    shuffles_from = torch.Generator().manual_seed(cell.seed)
    deque(fit(model, rows.train, recipe, generator=shuffles_from), maxlen=0)
    return lambda: predict(model, rows.valid).numpy()


if __name__ == "__main__":
    main("collab", ["torch", "numpy"], list(VARIANTS), fit_variant)
