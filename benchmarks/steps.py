"""What each part of the trainer buys: `python -m benchmarks.steps`

Five epochs of `dot_product_bias_wd` on ml-100k (6,250 steps of 64 rows) on one thread, from a plain
PyTorch loop to the project's own, each with one thing more than the one before; medians of rounds
in which every one runs once.
"""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from statistics import median

import torch
from torch import nn

from benchmarks.ml_100k import load_ml_100k
from collab.dataset.dataset import Dataset
from collab.dataset.rows import Rows
from collab.estimators.recipes import FAITHFUL
from collab.estimators.sgd.closed_form import ClosedForm
from collab.estimators.sgd.estimator import wrap
from collab.estimators.sgd.fit import flushed_denormals, make_step, shuffled_batches
from collab.estimators.sgd.gradient import Autograd, Gradient
from collab.estimators.sgd.schedule import one_cycle
from collab.runs.errors import measure

SEED = 42
RECIPE = FAITHFUL["dot_product_bias_wd"][0]
Train = Callable[[nn.Module, Rows], None]


def plain(model: nn.Module, train: Rows, *, fused: bool) -> None:
    """Autograd and torch's AdamW."""
    optimizer = torch.optim.AdamW(
        model.parameters(), eps=RECIPE.eps, weight_decay=RECIPE.wd, foreach=False, fused=fused
    )
    n_steps, shuffles_from = len(train) // RECIPE.batch_size, generator()
    for epoch in range(RECIPE.epochs):
        order = torch.randperm(len(train), generator=shuffles_from)
        for step in range(n_steps):
            at = order[step * RECIPE.batch_size : (step + 1) * RECIPE.batch_size]
            lr, beta1 = one_cycle(RECIPE, (epoch + step / n_steps) / RECIPE.epochs)
            optimizer.param_groups[0].update(lr=lr, betas=(beta1, RECIPE.beta2))
            predicted = model(train.users[at], train.items[at])
            optimizer.zero_grad()
            torch.autograd.backward(nn.functional.mse_loss(predicted, train.ratings[at]))
            optimizer.step()


def flat(
    model: nn.Module, train: Rows, *, make: Callable[[nn.Module], Gradient], flush: bool
) -> None:
    """The project's own steps, with either gradient, denormals flushed or not."""
    gradient = make(model)
    total = RECIPE.epochs * (len(train) // RECIPE.batch_size)
    step, shuffles_from, number = make_step(gradient, RECIPE, total, capture=False), generator(), 0
    with flushed_denormals() if flush else nullcontext():
        for _ in range(RECIPE.epochs):
            for block in shuffled_batches(gradient, train, RECIPE.batch_size, shuffles_from):
                for batch in block:
                    step(batch, number)
                    number += 1


def closed(model: nn.Module) -> Gradient:
    """The gradient in closed form."""
    return ClosedForm(model, RECIPE.batch_size)  # type: ignore[arg-type]


STEPS: dict[str, Train] = {
    "autograd and torch.optim.AdamW": lambda m, r: plain(m, r, fused=False),
    "+ its fused step": lambda m, r: plain(m, r, fused=True),
    "+ one flat buffer, one call": lambda m, r: flat(m, r, make=Autograd, flush=False),
    "+ the gradient in closed form": lambda m, r: flat(m, r, make=closed, flush=False),
    "+ denormals flushed": lambda m, r: flat(m, r, make=closed, flush=True),
}


def generator() -> torch.Generator:
    """Draws the weights and the order of rows."""
    return torch.Generator().manual_seed(SEED)


def run(train: Train, dataset: Dataset) -> tuple[float, float]:
    """Seconds of training, and the valid MSE it ends with."""
    sizes = len(dataset.users), len(dataset.items)
    model = RECIPE.build(*sizes, generator())
    rows, valid = dataset.train().take(slice(None)), dataset.valid()
    start = time.perf_counter()
    train(model, rows)
    seconds = time.perf_counter() - start
    errors = measure(wrap(model, sizes).predict(valid), valid.ratings)
    assert errors
    return seconds, errors.mse


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description="What each part of the trainer buys.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data-dir")
    parser.add_argument("--archive", help="ml-100k, if not from its sources")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    dataset = load_ml_100k(asked.data_dir, asked.archive)
    rounds = [
        {name: run(train, dataset) for name, train in STEPS.items()} for _ in range(asked.rounds)
    ]
    for name in STEPS:
        seconds = median(found[name][0] for found in rounds)
        sys.stdout.write(f"{seconds:6.2f} s  valid MSE {rounds[0][name][1]:.4f}  {name}\n")


if __name__ == "__main__":
    main()
