"""Flat buffers of parameters, and the gradient of any model by autograd.

A model's parameters become views into one buffer (two, where some are not decayed), and so do their
gradients: the optimizer is one call over a buffer, however many tables a model has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from collab.training.interactions import Interactions

NORMS = (nn.BatchNorm1d, nn.LayerNorm)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Parameters that are stepped together: `values` (p,), `grads` (p,), and whether they decay."""

    values: Tensor
    grads: Tensor
    decays: bool


class Gradient(Protocol):
    """Fills the gradients of a batch's mean squared error.

    groups: the buffers it fills.
    buffers: what a call changes besides, such as the running means of batch norm.
    """

    groups: list[Group]
    buffers: list[Tensor]

    def __call__(self, batch: Interactions) -> Tensor:
        """Fill the gradients; returns the mean squared error, (), on the device."""
        ...


class Autograd:
    """The gradient of any model, by autograd."""

    def __init__(self, model: nn.Module) -> None:
        """Move the model's parameters into flat buffers; the model keeps working on them."""
        self.model = model
        self.groups = decay_groups(model)
        self.buffers = list(model.buffers())

    def __call__(self, batch: Interactions) -> Tensor:
        """See `Gradient`."""
        for group in self.groups:
            group.grads.zero_()
        loss = nn.functional.mse_loss(self.model(batch.users, batch.items), batch.ratings)
        torch.autograd.backward(loss)
        return loss.detach()


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
