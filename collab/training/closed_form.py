"""The gradient of the dot-product family, written by hand.

With s = sigmoid(<p_u, q_i> + b_u + c_i), prediction = low + span s and error e = rating -
prediction, the mean squared error over B rows has the derivatives

    g = d mse / d score = -2 span / B * e * s (1 - s)        (without a range: -2 / B * e)
    d p_u = g q_i,   d q_i = g p_u,   d b_u = d c_i = g

All tables lie in one: a row is a user or an item, its columns the factors and then the bias. So a
step is two gathers, a dozen small operations into buffers allocated once, and two scatters.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from collab.training.gradient import Group
from collab.training.interactions import Interactions

Tables = tuple[list[Tensor], list[Tensor]]


@runtime_checkable
class DotProductFamily(Protocol):
    """A model whose score is <user factors, item factors> plus the biases, if it has them."""

    @property
    def y_range(self) -> tuple[float, float] | None:
        """The range of the sigmoid over the score; None for none."""
        ...

    def tables(self) -> Tables:
        """The user's tables and the item's: factors (n, k), then the bias (n,) or (n, 1) if any."""
        ...


class ClosedForm:
    """The gradient of a model of the family; every batch has `size` rows."""

    def __init__(self, model: DotProductFamily, size: int) -> None:
        """Move the model's tables into one; the model keeps working on views of it."""
        users, items = model.tables()
        values, grads = pack(users, items)
        self.groups = [Group(values=values.view(-1), grads=grads.view(-1), decays=True)]
        self.buffers: list[Tensor] = []
        self.grads = grads
        self.user_table, self.item_table = values[: len(users[0])], values[len(users[0]) :]
        self.user_grads, self.item_grads = grads[: len(users[0])], grads[len(users[0]) :]
        low, high = model.y_range or (0.0, 1.0)
        self.low, self.span, self.squashed = low, high - low, model.y_range is not None
        self.scale = -2 * self.span / size
        self.reserve(size, factors=users[0].shape[1], width=values.shape[1])

    def reserve(self, size: int, *, factors: int, width: int) -> None:
        """Allocate a batch's rows (2, B, width), scores and errors (B,), and views of them."""
        new = self.grads.new_empty
        self.rows = new(2, size, width)
        self.products, self.score, self.error = new(size, factors), new(size), new(size)
        self.user, self.item = self.rows.unbind()
        self.user_factors, self.item_factors = self.user[:, :factors], self.item[:, :factors]
        self.biases = self.rows[:, :, factors:].unbind(2)  # one (2, B), or none
        self.error_column = self.error[:, None]

    def __call__(self, batch: Interactions) -> Tensor:
        """See `gradient.Gradient`."""
        torch.index_select(self.user_table, 0, batch.users, out=self.user)
        torch.index_select(self.item_table, 0, batch.items, out=self.item)
        torch.mul(self.user_factors, self.item_factors, out=self.products)
        torch.sum(self.products, 1, out=self.score)
        for bias in self.biases:
            self.score.add_(bias[0]).add_(bias[1])
            bias.fill_(1)  # what the other side's bias is multiplied by
        if self.squashed:
            self.score.sigmoid_()
        loss = self.compare(batch.ratings)
        self.scatter(batch)
        return loss

    def compare(self, ratings: Tensor) -> Tensor:
        """The loss (); `error` becomes the derivative by the score, up to `scale`."""
        error = self.error
        torch.sub(ratings, self.score, alpha=self.span, out=error)
        if self.low:
            error.sub_(self.low)
        loss = error.dot(error) / len(error)
        if self.squashed:
            torch.ops.aten.sigmoid_backward.grad_input(error, self.score, grad_input=error)
        return loss

    def scatter(self, batch: Interactions) -> None:
        """Add the rows' gradients where they belong; all other rows' are 0."""
        self.error.mul_(self.scale)
        self.rows.mul_(self.error_column)
        self.grads.zero_()
        # index_add_ is fast with int64 indices and without alpha only
        self.user_grads.index_add_(0, batch.users, self.item)
        self.item_grads.index_add_(0, batch.items, self.user)


def pack(users: list[Tensor], items: list[Tensor]) -> tuple[Tensor, Tensor]:
    """One table (n_users + n_items, width) and its gradient; the parameters become its columns."""
    values = torch.cat([columns(users), columns(items)])
    grads = torch.zeros_like(values)
    for tables, rows in ((users, slice(len(users[0]))), (items, slice(len(users[0]), None))):
        at = 0
        for table in tables:
            width = 1 if table.dim() == 1 else table.shape[1]
            place = at if table.dim() == 1 else slice(at, at + width)
            table.data, table.grad = values[rows, place], grads[rows, place]
            at += width
    return values, grads


def columns(tables: list[Tensor]) -> Tensor:
    """Tables (n, k) and (n,) side by side."""
    return torch.cat([table.detach().reshape(len(table), -1) for table in tables], dim=1)
