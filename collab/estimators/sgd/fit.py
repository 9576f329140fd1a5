"""The training loop: one for all models, data on the device, no synchronisation inside an epoch."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from collab.base.errors import CollabError
from collab.estimators.sgd.capture import TensorAdamW, WholeStep, schedule_numbers
from collab.estimators.sgd.closed_form import ClosedForm, DotProductFamily
from collab.estimators.sgd.gradient import Autograd, Batch, Gradient
from collab.dataset.interactions import Interactions
from collab.estimators.sgd.optimizer import AdamW
from collab.estimators.sgd.recipe import Recipe
from collab.estimators.sgd.schedule import one_cycle

ROWS_GATHERED = 1 << 17  # shuffled rows laid out at once: no shuffled copy of all the data is made


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the training rows: its number from 1, mean loss, and seconds."""

    number: int
    loss: float
    seconds: float


def fit(
    model: nn.Module,
    train: Interactions,
    recipe: Recipe,
    *,
    generator: torch.Generator,
    capture: bool | None = None,
) -> Iterator[Epoch]:
    """Train a model by its recipe; yields after every epoch, when the model may be evaluated.

    Args:
        model: on the device of the rows; changed in place.
        train: the rows to learn from.
        recipe: the settings, its batch size settled.
        generator: on the same device; shuffles.
        capture: record the whole step and replay it; by default on CUDA only.

    Raises:
        CollabError: the loss became NaN or infinite.
    """
    size = min(recipe.batch_size, len(train))
    n_steps = len(train) // size
    capture = train.device.type == "cuda" if capture is None else capture
    gradient = make_gradient(model, size)
    step = make_step(gradient, recipe, recipe.epochs * n_steps, capture=capture)
    for number in range(recipe.epochs):
        start = time.perf_counter()
        model.train()
        batches = shuffled_batches(gradient, train, size, generator)
        losses = run_steps(step, batches, number * n_steps) * gradient.unit
        refuse_divergence(losses, recipe, number)
        loss = float(losses.mean())
        yield Epoch(number=number + 1, loss=loss, seconds=time.perf_counter() - start)


Step = Callable[[Batch, int], Tensor]


def run_steps(step: Step, blocks: Iterable[Iterable[Batch]], first: int) -> Tensor:
    """Take the steps of one pass, numbered from `first`; their losses (n_steps,), on the device."""
    numbers = itertools.count(first)
    with flushed_denormals():
        return torch.cat([torch.stack(list(map(step, block, numbers))) for block in blocks])


def make_step(gradient: Gradient, recipe: Recipe, total: int, *, capture: bool) -> Step:
    """A function of a batch and the step's number that trains on it and returns its loss ()."""
    if capture:
        return captured_step(gradient, recipe, total)
    optimizer = AdamW(gradient.groups, recipe)

    def step(batch: Batch, number: int) -> Tensor:
        loss = gradient(batch)
        optimizer.step(*one_cycle(recipe, number / total))
        gradient.clear(batch)
        return loss

    return step


def captured_step(gradient: Gradient, recipe: Recipe, total: int) -> Step:
    """The same step recorded as a whole when its first batch comes."""
    optimizer = TensorAdamW(gradient.groups, recipe)
    numbers = schedule_numbers(recipe, total, gradient.groups[0].values.device)
    whole: list[WholeStep] = []

    def step(batch: Batch, number: int) -> Tensor:
        if not whole:
            whole.append(WholeStep(gradient, optimizer, batch, numbers[number]))
        return whole[0](batch, numbers[number])

    return step


def make_gradient(model: nn.Module, size: int) -> Gradient:
    """The closed form where the model has one, else autograd."""
    return ClosedForm(model, size) if isinstance(model, DotProductFamily) else Autograd(model)


def shuffled_batches(
    gradient: Gradient, rows: Interactions, size: int, generator: torch.Generator
) -> Iterator[Iterator[Batch]]:
    """One pass in batches of exactly `size` shuffled rows, in blocks; a short one is dropped."""
    order = torch.randperm(len(rows), generator=generator, dtype=torch.int32, device=rows.device)
    whole = len(rows) // size * size
    at_once = max(1, ROWS_GATHERED // size) * size
    for start in range(0, whole, at_once):
        yield gradient.lay_out(rows.take(order[start : min(start + at_once, whole)]), size)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Let numbers too small for a normal float be 0: on a CPU they are ten times slower.

    The averages of a row fade into them while it is in no batch.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def refuse_divergence(losses: Tensor, recipe: Recipe, number: int) -> None:
    """Stop at a loss that is not finite.

    Raises:
        CollabError: with the epoch and the learning rate at that step.
    """
    finite = torch.isfinite(losses)
    if bool(finite.all()):
        return
    step = int((~finite).nonzero()[0])
    lr, _ = one_cycle(recipe, (number + step / len(losses)) / recipe.epochs)
    raise CollabError(
        f"{recipe.name}: the loss became {float(losses[step])} in epoch {number + 1}, "
        f"step {step + 1}, at learning rate {lr:.2e}. Lower lr_max ({recipe.lr_max:g})."
    )
