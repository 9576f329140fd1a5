"""AdamW over flat buffers: one fused call a group (Loshchilov and Hutter 2019)."""

import torch

from collab.estimators.sgd.gradient import Group
from collab.estimators.sgd.settings import Settings


class AdamW:
    """AdamW with decoupled weight decay; learning rate and beta1 may differ at every step.

    Equal to `torch.optim.AdamW`, without its work for each step and parameter.
    """

    def __init__(self, groups: list[Group], settings: Settings) -> None:
        """Start with averages of zero."""
        self.beta2, self.eps = settings.beta2, settings.eps
        self.steps = groups[0].values.new_zeros(())
        self.calls = [
            (
                [group.values],
                [group.grads],
                [torch.zeros_like(group.values)],
                [torch.zeros_like(group.values)],
                settings.wd if group.decays else 0.0,
            )
            for group in groups
        ]

    def step(self, lr: float, beta1: float) -> None:
        """Move every group along its gradient."""
        self.steps += 1
        for values, grads, means, squares, decay in self.calls:
            torch._fused_adamw_(
                values,
                grads,
                means,
                squares,
                [],
                [self.steps],
                lr=lr,
                beta1=beta1,
                beta2=self.beta2,
                weight_decay=decay,
                eps=self.eps,
                amsgrad=False,
                maximize=False,
            )
