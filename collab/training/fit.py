"""The training loop: one for all models, data on the device, no synchronisation inside an epoch."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from collab.errors import CollabError
from collab.training.evaluate import Errors, measure, predict
from collab.training.interactions import Interactions
from collab.training.recipe import Recipe
from collab.training.schedule import one_cycle

NORMS = (nn.BatchNorm1d, nn.LayerNorm)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass gave: mean training loss, errors on the validation rows, seconds of training.

    `epoch` counts from 1.
    """

    epoch: int
    train_loss: float
    valid: Errors
    seconds: float


def fit(
    model: nn.Module,
    train: Interactions,
    valid: Interactions,
    recipe: Recipe,
    *,
    generator: torch.Generator,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train a model by its recipe.

    Args:
        model: on the device of the rows; changed in place.
        train: the rows to learn from.
        valid: the rows to measure after each epoch; never learnt from.
        recipe: the settings.
        generator: on the same device; shuffles.
        on_epoch: told of every epoch as it ends.

    Raises:
        CollabError: the loss became NaN or infinite.
    """
    optimizer = make_optimizer(model, recipe)
    history = []
    for number in range(recipe.epochs):
        start = time.perf_counter()
        losses = train_epoch(model, train, recipe, number, optimizer, generator)
        refuse_divergence(losses, recipe, number)
        loss = float(losses.mean())
        seconds = time.perf_counter() - start
        errors = measure(predict(model, valid), valid.ratings)
        history.append(Epoch(epoch=number + 1, train_loss=loss, valid=errors, seconds=seconds))
        on_epoch(history[-1])
    return history


def train_epoch(
    model: nn.Module,
    train: Interactions,
    recipe: Recipe,
    number: int,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> Tensor:
    """One shuffled pass; returns the losses of its steps (n_steps,), on the device."""
    size = min(recipe.batch_size, len(train))
    order = torch.randperm(len(train), generator=generator, device=train.device)
    batches = order[: len(train) // size * size].view(-1, size)
    losses = torch.empty(len(batches), device=train.device)
    model.train()
    for step, rows in enumerate(batches):
        lr, beta1 = one_cycle(recipe, (number + step / len(batches)) / recipe.epochs)
        for group in optimizer.param_groups:
            group["lr"], group["betas"] = lr, (beta1, recipe.beta2)
        loss = mse_loss(model(train.users[rows], train.items[rows]), train.ratings[rows])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses[step] = loss.detach()
    return losses


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; norm layers and biases of linear layers are not decayed."""
    plain = [
        parameter
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if isinstance(module, NORMS) or (isinstance(module, nn.Linear) and name == "bias")
    ]
    spared = {id(parameter) for parameter in plain}
    decayed = [parameter for parameter in model.parameters() if id(parameter) not in spared]
    groups = [{"params": decayed, "weight_decay": recipe.wd}]
    if plain:
        groups.append({"params": plain, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, eps=recipe.eps, fused=True)


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
