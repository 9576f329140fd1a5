"""The same step with every number in a tensor, so that a CUDA graph can hold it.

A step of 64 rows is a dozen kernels of microseconds: on a GPU, launching them takes longer than
they run. Recorded once and replayed, they are one launch. The fused AdamW takes beta1 as a Python
number, which a graph would freeze, so here all numbers of the schedule are read from the device.
"""

import torch
from torch import Tensor

from collab.estimators.sgd.gradient import Batch, Gradient, Group
from collab.estimators.sgd.schedule import one_cycle
from collab.estimators.sgd.settings import Settings

WARM_UP = 3


def schedule_numbers(settings: Settings, n_steps: int, device: torch.device) -> Tensor:
    """(n_steps, 4): 1 - beta1, lr, lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t); from float64."""
    points = [one_cycle(settings, step / n_steps) for step in range(n_steps)]
    lr, beta1 = torch.tensor(points, dtype=torch.float64).unbind(1)
    t = torch.arange(1, n_steps + 1, dtype=torch.float64)
    columns = [1 - beta1, lr, lr / (1 - beta1**t), (1 - settings.beta2**t).rsqrt()]
    return torch.stack(columns, dim=1).float().to(device)


class TensorAdamW:
    """`optimizer.AdamW` whose numbers are read from a tensor."""

    def __init__(self, groups: list[Group], settings: Settings) -> None:
        """Start with averages of zero."""
        self.groups, self.settings = groups, settings
        self.means = [torch.zeros_like(group.values) for group in groups]
        self.squares = [torch.zeros_like(group.values) for group in groups]

    def step(self, numbers: Tensor) -> None:
        """Move every group along its gradient; `numbers` is a row of `schedule_numbers`."""
        weight, lr, lr_debiased, scale = numbers.unbind()
        for group, mean, square in zip(self.groups, self.means, self.squares, strict=True):
            if group.decays:
                group.values.mul_(1 - lr * self.settings.wd)
            mean.lerp_(group.grads, weight)
            square.lerp_(group.grads.square(), 1 - self.settings.beta2)
            group.values.sub_(mean * lr_debiased / (square.sqrt() * scale + self.settings.eps))


class WholeStep:
    """Gradient and optimizer behind fixed inputs: replayed as a graph on CUDA, called elsewhere."""

    def __init__(
        self, gradient: Gradient, optimizer: TensorAdamW, batch: Batch, numbers: Tensor
    ) -> None:
        """Fix the inputs' places by a first batch, and record the step where there is CUDA."""
        self.gradient, self.optimizer = gradient, optimizer
        self.batch = tuple(tensor.clone() for tensor in batch)
        self.numbers = numbers.clone()
        self.loss = torch.zeros((), device=numbers.device)
        self.graph = self.record() if numbers.device.type == "cuda" else None

    def __call__(self, batch: Batch, numbers: Tensor) -> Tensor:
        """One step; returns the batch's loss ()."""
        for place, tensor in zip(self.batch, batch, strict=True):
            place.copy_(tensor)
        self.numbers.copy_(numbers)
        if self.graph is None:
            self.run()
        else:
            self.graph.replay()
        return self.loss.clone()

    def run(self) -> None:
        """The step itself."""
        self.loss.copy_(self.gradient(self.batch))
        self.optimizer.step(self.numbers)
        self.gradient.clear(self.batch)

    def record(self) -> torch.cuda.CUDAGraph:
        """Warm up, record, and put back what the warm-up changed."""
        groups, optimizer = self.gradient.groups, self.optimizer
        values = [group.values for group in groups]
        state = [*values, *optimizer.means, *optimizer.squares, *self.gradient.buffers]
        before = [tensor.clone() for tensor in state]
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.run()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.run()
        for tensor, value in zip(state, before, strict=True):
            tensor.copy_(value)
        return graph
