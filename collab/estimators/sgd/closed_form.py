"""The gradient of the dot-product family, written by hand.

With s = sigmoid(<p_u, q_i> + b_u + c_i), prediction = low + span s and error e = rating -
prediction, the mean squared error over B rows has the derivatives

    g = d mse / d score = -2 span / B * e * s (1 - s)        (without a range: -2 / B * e)
    d p_u = g q_i,   d q_i = g p_u,   d b_u = d c_i = g

All tables lie in one: a row is a user or an item, its columns the factors and then the bias. So a
step is a gather, a dozen small operations into buffers allocated once, and a scatter. On a CPU each
operation costs microseconds before it computes anything, so what can be done for many batches at
once is: indices are laid out for both, and ratings come scaled by the constant of the derivative.
"""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor, nn

from collab.base.errors import CollabError
from collab.dataset.rows import Rows
from collab.estimators.sgd.gradient import Batch, Group
from collab.estimators.sgd.parts import Tables

TOLERANCE = 1e-3  # of the largest derivative; float32 sums differ by less than a tenth of it


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
        self.table, self.grads = pack(users, items)
        self.groups = [Group(values=self.table.view(-1), grads=self.grads.view(-1), decays=True)]
        self.buffers: list[Tensor] = []
        self.n_users = len(users[0])
        low, high = model.y_range or (0.0, 1.0)
        self.low, self.span, self.squashed = low, high - low, model.y_range is not None
        self.scale = -2 * self.span / size
        self.unit = 1 / (size * self.scale**2)
        self.reserve(size, factors=users[0].shape[1], width=self.table.shape[1])

    def reserve(self, size: int, *, factors: int, width: int) -> None:
        """Allocate a batch's rows (2 B, width), scores and errors (B,), and views of them."""
        new = self.grads.new_empty
        self.rows = new(2 * size, width)
        self.products, self.score, self.error = new(size, factors), new(size), new(size)
        self.sides = self.rows.view(2, size, width)
        item, user = self.sides.unbind()
        self.user_factors, self.item_factors = user[:, :factors], item[:, :factors]
        biases = self.sides[:, :, factors:].unbind(2)  # one (2, B), or none
        self.biases = [(both, *both.unbind()) for both in biases]
        self.error_column = self.error[:, None]

    def lay_out(self, rows: Rows, size: int) -> Iterator[Batch]:
        """Table rows to gather (2 B,), items first; to add to (2 B,), users first; ratings (B,).

        An item's row is the gradient of its user's, and the other way round, which is why the order
        turns. Ratings are above `low` and scaled.
        """
        users, items = rows.users.view(-1, size), rows.items.view(-1, size) + self.n_users
        places = torch.cat([items, users, items], dim=1)
        ratings = ((rows.ratings - self.low) * self.scale).view(-1, size)
        return zip(
            places[:, : 2 * size].unbind(), places[:, size:].unbind(), ratings.unbind(), strict=True
        )

    def __call__(self, batch: Batch) -> Tensor:
        """See `gradient.Gradient`."""
        gather, scatter, ratings = batch
        torch.index_select(self.table, 0, gather, out=self.rows)
        torch.mul(self.user_factors, self.item_factors, out=self.products)
        torch.sum(self.products, 1, out=self.score)
        for both, item, user in self.biases:
            self.score.add_(item).add_(user)
            both.fill_(1)  # what the other side's bias is multiplied by
        if self.squashed:
            self.score.sigmoid_()
        loss = self.compare(ratings)
        self.sides.mul_(self.error_column)
        # index_add_ is fast with int64 indices and without alpha only
        self.grads.index_add_(0, scatter, self.rows)
        return loss

    def compare(self, ratings: Tensor) -> Tensor:
        """Sum of squared scaled errors (); `error` becomes the derivative by the score."""
        error = self.error
        torch.sub(ratings, self.score, alpha=self.span * self.scale, out=error)
        loss = error.dot(error)
        if self.squashed:
            torch.ops.aten.sigmoid_backward.grad_input(error, self.score, grad_input=error)
        return loss

    def clear(self, batch: Batch) -> None:
        """See `gradient.Gradient`: only the rows of the batch were filled."""
        self.grads.index_fill_(0, batch[1], 0)


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


def refuse_other_gradient(closed: ClosedForm, model: nn.Module, rows: Rows, size: int) -> None:
    """Hold the closed form to autograd's gradient of one batch.

    Raises:
        CollabError: the model's score is another than the closed form's.
    """
    parameters = list(model.parameters())
    loss = nn.functional.mse_loss(model(rows.users, rows.items), rows.ratings)
    expected = torch.autograd.grad(loss, parameters, allow_unused=True)
    (batch,) = closed.lay_out(rows, size)
    closed(batch)
    scale = max(float(grad.abs().max()) for grad in expected if grad is not None)
    for parameter, grad in zip(parameters, expected, strict=True):
        found = parameter.grad
        if found is None or grad is None or float((found - grad).abs().max()) > TOLERANCE * scale:
            raise CollabError(
                f"The closed form of the gradient is not that of {type(model).__name__}, whose "
                "score is no dot product with biases alone. Use gradient='autograd' in its recipe."
            )
    closed.clear(batch)
