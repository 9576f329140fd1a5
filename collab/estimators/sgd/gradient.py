"""Flat buffers of parameters, and the gradient of any model by autograd.

A model's parameters become views into one buffer (two, where some are not decayed), and so do their
gradients: the optimizer is one call over a buffer, however many tables a model has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from collab.dataset.rows import Rows

NORMS = (nn.BatchNorm1d, nn.LayerNorm)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Parameters that are stepped together: `values` (p,), `grads` (p,), and whether they decay."""

    values: Tensor
    grads: Tensor
    decays: bool


Batch = tuple[Tensor, ...]  # the rows of one step as a gradient wants them, each (B, ...)


class Gradient(Protocol):
    """Fills the gradients of a batch's mean squared error.

    groups: the buffers it fills; they are zero before a call and are cleared after the step.
    unit: what the result of a call is to be multiplied by to be the mean squared error.
    buffers: what a call changes besides, such as the running means of batch norm.
    """

    groups: list[Group]
    unit: float
    buffers: list[Tensor]

    def lay_out(self, rows: Rows, size: int) -> Iterator[Batch]:
        """Cut rows, a multiple of `size`, into batches in their order."""
        ...

    def __call__(self, batch: Batch) -> Tensor:
        """Fill the gradients; returns the loss, (), on the device, in a unit of its own."""
        ...

    def clear(self, batch: Batch) -> None:
        """Set back to zero what a call with this batch filled."""
        ...


class Autograd:
    """The gradient of any model, by autograd."""

    def __init__(self, model: nn.Module) -> None:
        """Move the model's parameters into flat buffers; the model keeps working on them."""
        self.model = model
        self.loss = getattr(model, "loss", self.squared)
        self.groups = decay_groups(model)
        self.unit = 1.0
        self.buffers = list(model.buffers())

    def lay_out(self, rows: Rows, size: int) -> Iterator[Batch]:
        """Users, items and ratings, (B,) each."""
        columns = (rows.users, rows.items, rows.ratings)
        return zip(*(column.view(-1, size).unbind() for column in columns), strict=True)

    def __call__(self, batch: Batch) -> Tensor:
        """See `Gradient`."""
        users, items, ratings = batch
        loss = self.loss(users, items, ratings)
        torch.autograd.backward(loss)
        return loss.detach()

    def squared(self, users: Tensor, items: Tensor, ratings: Tensor) -> Tensor:
        """Mean squared error, the loss of a model that has none of its own."""
        return nn.functional.mse_loss(self.model(users, items), ratings)

    def clear(self, batch: Batch) -> None:
        """See `Gradient`."""
        for group in self.groups:
            group.grads.zero_()


def decay_groups(model: nn.Module) -> list[Group]:
    """The parameters in two buffers: norm layers and biases of linear layers are not decayed."""
    plain = [
        parameter
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if isinstance(module, NORMS) or (isinstance(module, nn.Linear) and name == "bias")
    ]
    spared = {id(parameter) for parameter in plain}
    decayed = [parameter for parameter in model.parameters() if id(parameter) not in spared]
    return [flatten(part, decays=part is decayed) for part in (decayed, plain) if part]


def flatten(parameters: Sequence[nn.Parameter], *, decays: bool) -> Group:
    """Move parameters into one buffer and their gradients into another; they become views."""
    values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    grads = torch.zeros_like(values)
    sizes = [parameter.numel() for parameter in parameters]
    parts = zip(parameters, torch.split(values, sizes), torch.split(grads, sizes), strict=True)
    for parameter, value, grad in parts:
        parameter.data, parameter.grad = value.view_as(parameter), grad.view_as(parameter)
    return Group(values=values, grads=grads, decays=decays)
