"""Alternating least squares: users given the items, then items given the users, each exactly.

With the other side fixed, the row w_e = (factors, bias) of an entity e minimises

    sum over its ratings of (rating - mean - other's bias - <w_e, (other's factors, 1)>)^2
        + (ridge + ridge_share n_e^ridge_power) |w_e|^2

a ridge regression of its own, with biases. Power 1 is the weighted lambda of Zhou et al. 2008,
too strong for rows of hundreds of ratings; with less one setting serves small data and large.
Entities of about as many ratings are solved at once, their rows padded to the longest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from collab.dataset.rows import Groups, Rows
from collab.estimators.als_posterior import Posterior, Ridge, draw_posterior, draws_kept
from collab.estimators.api import Context, Factors, FoldedUser
from collab.estimators.cost import Cost, Size, memory
from collab.estimators.space import Span

NUMBERS_AT_ONCE = 1 << 22  # in a batch of matrices: 16 MiB of float32
FULL = 0.75  # of a padded batch at least this part is rows
START = 0.1  # standard deviation of the first item factors
SWEEP_SECONDS, DRAW_SECONDS = 1.2e-6, 2.1e-6  # for a rating, 51 columns
ROW_BYTES = 80  # both orders of the ratings
OTHER_SEED = 1 << 40  # so that draws are of other numbers than the first item factors


@dataclass(frozen=True, kw_only=True)
class Als:
    """Factors and biases of users and items by alternating ridge regressions.

    n_factors: of each user and item, besides the bias.
    sweeps: how often both sides are solved.
    ridge, ridge_share, ridge_power: the penalty of a row of n ratings is
        ridge + ridge_share n^ridge_power.
    draws: of the rows from their posterior, kept with the model; of large tables fewer.
    """

    uses_time: ClassVar[bool] = False
    explains: ClassVar[bool] = True
    n_factors: Annotated[int, Span(low=8, high=100, log=True)] = 50
    sweeps: Annotated[int, Span(low=3, high=12)] = 6
    ridge: Annotated[float, Span(low=0.5, high=20.0, log=True)] = 2.0
    ridge_share: Annotated[float, Span(low=0.05, high=2.0, log=True)] = 0.4
    ridge_power: Annotated[float, Span(low=0.3, high=1.0)] = 0.7
    draws: int = 32

    @property
    def passes(self) -> int:
        """The sweeps."""
        return self.sweeps

    def fit(self, train: Rows, context: Context) -> Iterator["Alternated"]:
        """Alternate; yields after every sweep."""
        rows = train.to(context.device)
        assert rows.by_user
        assert rows.by_item
        assert rows.by_item.order is not None
        mean = rows.ratings.double().mean().float()
        left = rows.ratings - mean
        order = rows.by_item.order.long()
        of_users = Side(rows.by_user, rows.items, left)
        of_items = Side(rows.by_item, rows.users[order], left[order])
        users = torch.zeros(context.n_users, self.n_factors + 1, device=context.device)
        items = self.first_items(context)
        items[of_items.groups.counts == 0] = 0
        for _ in range(self.sweeps):
            self.solve(of_users, items, users)
            loss = self.solve(of_items, users, items)
            tables = {"users": users.cpu(), "items": items.cpu(), "mean": mean.cpu()[None]}
            draw = partial(self.posterior, (of_users, of_items), (users, items), loss, context)
            yield Alternated(tables, context.scale, self, loss, draw)

    def first_items(self, context: Context) -> Tensor:
        """Small random factors, bias 0, (n_items, n_factors + 1)."""
        shape = (context.n_items, self.n_factors + 1)
        drawn = torch.randn(shape, generator=context.generator(), device=context.device) * START
        drawn[:, -1] = 0
        return drawn

    def solve(self, side: "Side", other: Tensor, into: Tensor) -> float:
        """Solve every row of a side given the other's; returns the mean squared error."""
        bias = torch.cat([other[:, -1], other.new_zeros(1)])
        inputs, error = padded(other), 0.0
        for at, columns, ratings in side.batches(other.shape[1], pad=len(other)):
            x = inputs[columns]  # (m, longest, k + 1)
            y = ratings - bias[columns]
            found = self.ridge_rows(x, y, side.groups.counts[at])
            into[at] = found
            error += float((torch.bmm(x, found[:, :, None])[:, :, 0] - y).square().sum())
        return error / len(side.ratings)

    def ridge_rows(self, x: Tensor, y: Tensor, counts: Tensor) -> Tensor:
        """The ridge regressions (m, k) of y (m, n) on x (m, n, k), padded by zeros."""
        right = torch.bmm(x.mT, y[:, :, None])
        precision = self.precision(x, self.penalty(counts))
        return torch.cholesky_solve(right, torch.linalg.cholesky(precision))[:, :, 0]

    def penalty(self, counts: Tensor) -> Tensor:
        """The penalties (m,) of rows of so many ratings (m,)."""
        return self.ridge + self.ridge_share * counts.float() ** self.ridge_power

    def precision(self, x: Tensor, penalty: Tensor) -> Tensor:
        """What the ridge regressions on x (m, n, k) invert, (m, k, k)."""
        gram = torch.bmm(x.mT, x)
        gram.diagonal(dim1=1, dim2=2).add_(penalty[:, None])
        return gram

    def ridges(self, side: "Side", other: Tensor) -> Iterator[Ridge]:
        """The regressions of a side's rows given the other's."""
        inputs = padded(other)
        for at, columns, _ in side.batches(other.shape[1], pad=len(other)):
            penalty = self.penalty(side.groups.counts[at])
            yield Ridge(at, penalty, self.precision(inputs[columns], penalty))

    def posterior(
        self, sides: tuple["Side", "Side"], rows: tuple[Tensor, Tensor], loss: float, where: Context
    ) -> Posterior:
        """Draws around the rows of users and items (n, k + 1), each side given the other."""
        g = torch.Generator(where.device).manual_seed(where.seed + OTHER_SEED)
        others = reversed(rows)
        ridges = [self.ridges(side, other) for side, other in zip(sides, others, strict=True)]
        counts = [side.groups.counts for side in sides]
        return draw_posterior(ridges, rows, counts, loss, self.draws, g)

    def cost(self, size: Size) -> Cost:
        """The sweeps, and the draws at the end."""
        width = self.n_factors + 1
        numbers = (size.n_users + size.n_items) * width
        seconds = size.n_ratings * (self.sweeps * SWEEP_SECONDS + DRAW_SECONDS) * width / 51
        drawn = draws_kept(self.draws, numbers) / 2  # in half precision
        mib = memory(size, numbers=numbers, copies=4 + round(2 * drawn), row_bytes=ROW_BYTES)
        return Cost(seconds=seconds, mib=mib, steps=self.sweeps, numbers=numbers)

    def load(self, folder: Path) -> "Alternated":
        """The model in a folder."""
        tables = load_file(folder / "model.safetensors")
        low, high = tables.pop("scale").tolist()
        users, items = tables.pop("draws.users"), tables.pop("draws.items")
        posterior = Posterior(users=users, items=items, noise=float(tables.pop("noise")))
        return Alternated(tables, (low, high), self, float("nan"), lambda: posterior)


def padded(rows: Tensor) -> Tensor:
    """The other side as inputs (n + 1, k + 1), 1 in place of the bias; a last row of zeros pads."""
    inputs = torch.cat([rows, rows.new_zeros(1, rows.shape[1])])
    inputs[:-1, -1] = 1
    return inputs


@dataclass(frozen=True)
class Side:
    """The rows of one side in its own order: whose they are, the other's index, what is left."""

    groups: Groups
    others: Tensor
    ratings: Tensor

    def batches(self, width: int, *, pad: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Entities (m,), their others (m, longest) and ratings (m, longest), the longest first.

        Entities without a row are left as they are; `pad` stands where an entity has no more.
        """
        counts = self.groups.counts
        by_count = counts.argsort(descending=True, stable=True)
        lengths = counts[by_count].tolist()
        first, end = 0, sum(length > 0 for length in lengths)
        while first < end:
            longest = lengths[first]
            numbers = max(longest, width) * width  # of the inputs, and of what is inverted
            last = min(first + max(1, NUMBERS_AT_ONCE // numbers), end)
            last = first + sum(length >= FULL * longest for length in lengths[first:last])
            at = by_count[first:last]
            step = torch.arange(longest, device=at.device)
            place = self.groups.starts[at][:, None] + step
            there = step < counts[at][:, None]
            place = torch.where(there, place, 0)
            columns = torch.where(there, self.others[place].long(), pad)
            yield at, columns, torch.where(there, self.ratings[place], 0.0)
            first = last


class Alternated:
    """The tables: `users` and `items` (n, k + 1), the bias last, and `mean` (1,)."""

    def __init__(
        self,
        tables: dict[str, Tensor],
        scale: tuple[float, float],
        by: Als,
        train_loss: float,
        draw: Callable[[], Posterior],
    ) -> None:
        """Hold the tables, on the CPU; `draw` is called when it is asked how sure they are."""
        self.tables, self.scale, self.by, self.train_loss = tables, scale, by, train_loss
        self.draw = draw
        self.n_parameters = tables["users"].numel() + tables["items"].numel() + 1

    def factors(self) -> Factors:
        """The tables; predictions are clipped to the scale."""
        return self.as_factors(*self.rows())

    def rows(self) -> tuple[Tensor, Tensor]:
        """Of users and items (n, k + 1)."""
        return self.tables["users"], self.tables["items"]

    def as_factors(self, users: Tensor, items: Tensor) -> Factors:
        """Rows of users and items as tables."""
        return Factors(
            mean=float(self.tables["mean"]),
            user_factors=users[:, :-1],
            item_factors=items[:, :-1],
            user_bias=users[:, -1],
            item_bias=items[:, -1],
            clip=self.scale,
        )

    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,); who or what was never seen is of the mean."""
        return self.factors().predict(rows.users.cpu(), rows.items.cpu())

    @cached_property
    def posterior(self) -> Posterior:
        """Draws around the tables."""
        return self.draw()

    def spread(self, rows: Rows) -> Tensor:
        """Standard deviation (n,) of the rating: of the score, and of the noise."""
        at = (rows.users.cpu(), rows.items.cpu())
        return self.posterior.variance(self.rows(), at).sqrt()

    def samples(self) -> Iterator[Factors]:
        """Draws of the rows of users and items."""
        for number in range(len(self.posterior.users)):
            yield self.as_factors(*self.posterior.rows(number, *self.rows()))

    def fold_in(self, items: Tensor, stars: Tensor) -> FoldedUser:
        """A new user's row: the same regression on the items they rated."""
        rows = self.tables["items"][items.long()]
        inputs = torch.cat([rows[:, :-1], rows.new_ones(len(rows), 1)], dim=1)
        left = stars - self.tables["mean"] - rows[:, -1]
        (row,) = self.by.ridge_rows(inputs[None], left[None], torch.tensor([len(items)]))
        return FoldedUser(factors=row[:-1], bias=float(row[-1]))

    def save(self, folder: Path) -> None:
        """`model.safetensors`, the draws included."""
        tables = {name: table.contiguous() for name, table in self.tables.items()}
        found = self.posterior
        tables |= {"draws.users": found.users, "draws.items": found.items}
        tables |= {"noise": torch.tensor([found.noise]), "scale": torch.tensor(self.scale)}
        save_file(tables, folder / "model.safetensors")
