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
from collab.evaluation.errors import measure, predict
from collab.estimators.sgd.fit import flushed_denormals, make_gradient, make_step, shuffled_batches
from collab.estimators.sgd.gradient import Autograd, Gradient
from collab.dataset.prepare import Prepared, prepare
from collab.estimators.recipes import DOT_PRODUCT_BIAS_WD as RECIPE
from collab.estimators.sgd.schedule import one_cycle
from collab.dataset.split import random_split

SEED = 42
Train = Callable[[nn.Module, Prepared], None]


def plain(model: nn.Module, rows: Prepared, *, fused: bool) -> None:
    """Autograd and torch's AdamW."""
    optimizer = torch.optim.AdamW(
        model.parameters(), eps=RECIPE.eps, weight_decay=RECIPE.wd, foreach=False, fused=fused
    )
    n_steps, shuffles_from = len(rows.train) // RECIPE.batch_size, generator()
    for epoch in range(RECIPE.epochs):
        order = torch.randperm(len(rows.train), generator=shuffles_from)
        for step in range(n_steps):
            at = order[step * RECIPE.batch_size : (step + 1) * RECIPE.batch_size]
            lr, beta1 = one_cycle(RECIPE, (epoch + step / n_steps) / RECIPE.epochs)
            optimizer.param_groups[0].update(lr=lr, betas=(beta1, RECIPE.beta2))
            predicted = model(rows.train.users[at], rows.train.items[at])
            optimizer.zero_grad()
            torch.autograd.backward(nn.functional.mse_loss(predicted, rows.train.ratings[at]))
            optimizer.step()


def flat(
    model: nn.Module, rows: Prepared, *, make: Callable[[nn.Module], Gradient], flush: bool
) -> None:
    """The project's own steps, with either gradient, denormals flushed or not."""
    gradient = make(model)
    total = RECIPE.epochs * (len(rows.train) // RECIPE.batch_size)
    step, shuffles_from, number = make_step(gradient, RECIPE, total, capture=False), generator(), 0
    with flushed_denormals() if flush else nullcontext():
        for _ in range(RECIPE.epochs):
            for block in shuffled_batches(gradient, rows.train, RECIPE.batch_size, shuffles_from):
                for batch in block:
                    step(batch, number)
                    number += 1


def closed(model: nn.Module) -> Gradient:
    """The gradient in closed form."""
    return make_gradient(model, RECIPE.batch_size)


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


def run(train: Train, rows: Prepared) -> tuple[float, float]:
    """Seconds of training, and the valid MSE it ends with."""
    model = RECIPE.build(len(rows.users), len(rows.items), generator())
    start = time.perf_counter()
    train(model, rows)
    seconds = time.perf_counter() - start
    return seconds, measure(predict(model, rows.valid), rows.valid.ratings).mse


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description="What each part of the trainer buys.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data-dir")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    ratings = load_ml_100k(asked.data_dir)
    split = random_split(len(ratings), SEED)
    rows = prepare(ratings, split, torch.device("cpu"))
    rounds = [
        {name: run(train, rows) for name, train in STEPS.items()} for _ in range(asked.rounds)
    ]
    for name in STEPS:
        seconds = median(found[name][0] for found in rounds)
        sys.stdout.write(f"{seconds:6.2f} s  valid MSE {rounds[0][name][1]:.4f}  {name}\n")


if __name__ == "__main__":
    main()
