"""AdamW that touches the rows of the batch alone, and makes up for what they missed.

Dense AdamW moves every row at every step: one that is in no batch decays, and drifts on by what is
left of its momentum. Here a row is brought up to date when it is next in a batch. With s the step
it was last in, nothing but zeros came since, so that after step t, with d_i = 1 - lr_i wd,

    m_t = m_s prod beta1_i,   v_t = v_s beta2^(t - s)
    w_t = prod d_i (w_s - m_s / (sqrt(v_s) + e_s) sum_j a_j prod_{s < i <= j} r_i)
    a_j = lr_j sqrt(1 - beta2^j) / (1 - beta1_j^j),   r_i = beta1_i / (sqrt(beta2) d_i)

where products go over s < i <= t and sums over s < j <= t. All of it is a difference of sums known
before the first step. It is dense AdamW but for epsilon: e_j = epsilon sqrt(1 - beta2^j) is let
fade as sqrt(v) does while a row is away. A step costs the same however many rows there are, as it
does in `torch.optim.SparseAdam`, which leaves out decay and drift.
"""

import numpy as np
import torch
from torch import Tensor

from collab.estimators.sgd.schedule import one_cycle
from collab.estimators.sgd.settings import Settings

ROWS_AT_ONCE = 1 << 16


class LazyAdamW:
    """The optimizer of a table (n, k), whose gradient (n, k) is zero but in the batch's rows."""

    def __init__(self, table: Tensor, grads: Tensor, settings: Settings, total: int) -> None:
        """Start with averages of zero; total: how many steps there will be."""
        self.table, self.grads, self.settings = table, grads, settings
        self.moments = table.new_zeros(len(table), 2, table.shape[1])  # means, then squares
        self.last = torch.zeros(len(table), dtype=torch.int64, device=table.device)
        self.sums = Sums(settings, total, table.device)
        self.held = table[:0], self.moments[:0]

    def prepare(self, at: Tensor, done: int) -> None:
        """Bring rows (b,), each as often as it likes, to where they stand after `done` steps."""
        decay, fade, drift, epsilon = self.sums.since(self.last.index_select(0, at), done)
        rows, moments = self.table.index_select(0, at), self.moments.index_select(0, at)
        means, squares = moments.unbind(1)
        rows.addcdiv_(means * drift, squares.sqrt().add_(epsilon), value=-1).mul_(decay)
        self.held = rows, moments.mul_(fade)
        self.table.index_copy_(0, at, rows)

    def step(self, at: Tensor, done: int) -> None:
        """Move the rows, prepared before, along their gradient; then `done` + 1 are done."""
        lr, beta1, scale, epsilon = self.sums.numbers(done + 1)
        rows, moments = self.held
        means, squares = moments.unbind(1)
        found = self.grads.index_select(0, at)
        means.lerp_(found, 1 - beta1)
        squares.lerp_(found.square_(), 1 - self.settings.beta2)
        rows.mul_(1 - lr * self.settings.wd)
        rows.addcdiv_(means, squares.sqrt().add_(epsilon), value=-scale)
        self.table.index_copy_(0, at, rows)  # a row that is there twice has the same values twice
        self.moments.index_copy_(0, at, moments)
        self.last.index_fill_(0, at, done + 1)

    def finish(self, done: int) -> None:
        """Bring every row to where it stands after `done` steps."""
        every = torch.arange(len(self.table), device=self.table.device)
        for at in torch.split(every, ROWS_AT_ONCE):
            self.prepare(at, done)
            self.moments.index_copy_(0, at, self.held[1])
        self.last.fill_(done)


class Sums:
    """What is known of the schedule before the first step, by steps done, in float64."""

    def __init__(self, settings: Settings, total: int, device: torch.device) -> None:
        """Sum the schedule of so many steps up."""
        points = (value for step in range(total) for value in one_cycle(settings, step / total))
        lr, beta1 = np.fromiter(points, np.float64, 2 * total).reshape(-1, 2).T
        t = np.arange(1, total + 1)
        decay, square = np.log1p(-lr * settings.wd), np.full(total, np.log(settings.beta2))
        ratio = np.log(beta1) - square / 2 - decay
        debias = np.sqrt(1 - settings.beta2**t)
        scale, epsilon = lr * debias / (1 - beta1**t), settings.eps * debias
        known = np.zeros((total + 1, 6))
        for column, values in enumerate((decay, np.log(beta1), square, ratio)):
            np.cumsum(values, out=known[1:, column])
        known[:, 4] = drifts(np.exp(ratio), scale)
        known[0, 5], known[1:, 5] = epsilon[0], epsilon
        self.known = torch.from_numpy(known).to(device)
        self.told = np.stack([lr, beta1, scale, epsilon], axis=1)

    def numbers(self, step: int) -> list[float]:
        """Of a step, from 1: lr, beta1, what multiplies m / (sqrt(v) + e), and e."""
        found: list[float] = self.told[step - 1].tolist()
        return found

    def since(self, last: Tensor, done: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Since the steps (b,) that rows were last in, up to `done`.

        Returns:
            The factors of values (b, 1) and of moments (b, 2, 1), what multiplies
            m / (sqrt(v) + e) (b, 1), and e (b, 1): float32.
        """
        then, now = self.known.index_select(0, last), self.known[done]
        factors = (now - then).exp_()
        factors[:, 4] = then[:, 4] - factors[:, 3] * now[4]
        factors[:, 5] = then[:, 5]
        found = factors.float()
        return found[:, :1], found[:, 1:3, None], found[:, 4:5], found[:, 5:]


def drifts(ratio: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Sums (n + 1,) over all later steps j of scale_j times the ratios up to j; the last is 0."""
    found = np.zeros(len(scale) + 1)
    for step in range(len(scale) - 1, -1, -1):
        found[step] = ratio[step] * (scale[step] + found[step + 1])
    return found
