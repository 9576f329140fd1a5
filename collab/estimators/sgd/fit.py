"""The training loop: one for all models, data on the device, no synchronisation inside an epoch."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from collab.base.errors import CollabError
from collab.dataset.rows import Rows
from collab.estimators.sgd.capture import TensorAdamW, WholeStep, schedule_numbers
from collab.estimators.sgd.closed_form import ClosedForm
from collab.estimators.sgd.gradient import Batch, Gradient
from collab.estimators.sgd.lazy import LazyAdamW
from collab.estimators.sgd.optimizer import AdamW
from collab.estimators.sgd.schedule import one_cycle
from collab.estimators.sgd.settings import Settings

ROWS_GATHERED = 1 << 17  # shuffled rows laid out at once: no shuffled copy of all the data is made


def descend(
    model: nn.Module,
    gradient: Gradient,
    train: Rows,
    settings: Settings,
    *,
    generator: torch.Generator,
    capture: bool | None = None,
) -> Iterator[float]:
    """Train a model; yields the mean loss of every epoch, when the model may be evaluated.

    Args:
        model: on the device of the rows; changed in place.
        gradient: what fills the model's gradients.
        train: the rows to learn from.
        settings: of the descent, the batch size settled.
        generator: on the same device; shuffles.
        capture: record the whole step and replay it; by default on CUDA only.

    Raises:
        CollabError: the loss became NaN or infinite.
    """
    size = min(settings.batch_size, len(train))
    n_steps = len(train) // size
    capture = train.device.type == "cuda" if capture is None else capture
    total = settings.epochs * n_steps
    lazy = make_lazy(gradient, settings, total)
    step = (
        lazy_step(gradient, lazy) if lazy else make_step(gradient, settings, total, capture=capture)
    )
    for number in range(settings.epochs):
        model.train()
        batches = shuffled_batches(gradient, train, size, generator)
        losses = run_steps(step, batches, number * n_steps) * gradient.unit
        if lazy:
            lazy.finish((number + 1) * n_steps)
        refuse_divergence(losses, settings, number)
        yield float(losses.mean())


Step = Callable[[Batch, int], Tensor]


def run_steps(step: Step, blocks: Iterable[Iterable[Batch]], first: int) -> Tensor:
    """Take the steps of one pass, numbered from `first`; their losses (n_steps,), on the device."""
    numbers = itertools.count(first)
    with flushed_denormals():
        return torch.cat([torch.stack(list(map(step, block, numbers))) for block in blocks])


def make_step(gradient: Gradient, settings: Settings, total: int, *, capture: bool) -> Step:
    """A function of a batch and the step's number that trains on it and returns its loss ()."""
    if capture:
        return captured_step(gradient, settings, total)
    optimizer = AdamW(gradient.groups, settings)

    def step(batch: Batch, number: int) -> Tensor:
        loss = gradient(batch)
        optimizer.step(*one_cycle(settings, number / total))
        gradient.clear(batch)
        return loss

    return step


def make_lazy(gradient: Gradient, settings: Settings, total: int) -> LazyAdamW | None:
    """The optimizer of rows, where the settings ask for it."""
    if not settings.lazy:
        return None
    assert isinstance(gradient, ClosedForm)
    return LazyAdamW(gradient.table, gradient.grads, settings, total)


def lazy_step(gradient: Gradient, optimizer: LazyAdamW) -> Step:
    """The same step on the rows of the batch alone."""

    def step(batch: Batch, number: int) -> Tensor:
        rows = batch[1]
        optimizer.prepare(rows, number)
        loss = gradient(batch)
        optimizer.step(rows, number)
        gradient.clear(batch)
        return loss

    return step


def captured_step(gradient: Gradient, settings: Settings, total: int) -> Step:
    """The same step recorded as a whole when its first batch comes."""
    optimizer = TensorAdamW(gradient.groups, settings)
    numbers = schedule_numbers(settings, total, gradient.groups[0].values.device)
    whole: list[WholeStep] = []

    def step(batch: Batch, number: int) -> Tensor:
        if not whole:
            whole.append(WholeStep(gradient, optimizer, batch, numbers[number]))
        return whole[0](batch, numbers[number])

    return step


def shuffled_batches(
    gradient: Gradient, rows: Rows, size: int, generator: torch.Generator
) -> Iterator[Iterator[Batch]]:
    """One pass in batches of exactly `size` shuffled rows, in blocks; a short one is dropped."""
    order = torch.randperm(len(rows), generator=generator, dtype=torch.int32, device=rows.device)
    whole = len(rows) // size * size
    at_once = max(1, ROWS_GATHERED // size) * size
    for start in range(0, whole, at_once):
        yield gradient.lay_out(gather(rows, order[start : min(start + at_once, whole)]), size)


def gather(rows: Rows, at: Tensor) -> Rows:
    """The rows at some places; their time stamps, which no step reads, are left out."""
    return Rows(
        users=rows.users[at].long(),
        items=rows.items[at].long(),
        ratings=rows.ratings[at],
        ts=rows.ts[:0],
    )


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


def refuse_divergence(losses: Tensor, settings: Settings, number: int) -> None:
    """Stop at a loss that is not finite.

    Raises:
        CollabError: with the epoch and the learning rate at that step.
    """
    finite = torch.isfinite(losses)
    if bool(finite.all()):
        return
    step = int((~finite).nonzero()[0])
    lr, _ = one_cycle(settings, (number + step / len(losses)) / settings.epochs)
    raise CollabError(
        f"The loss became {float(losses[step])} in epoch {number + 1}, "
        f"step {step + 1}, at learning rate {lr:.2e}. Lower lr_max ({settings.lr_max:g})."
    )
