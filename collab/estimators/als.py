"""Alternating least squares: users given the items, then items given the users, each exactly.

With the other side fixed, the row w_e = (factors, bias) of an entity e minimises

    sum over its ratings of (rating - mean - other's bias - <w_e, (other's factors, 1)>)^2
        + (ridge + ridge_share n_e^ridge_power) |w_e|^2

a ridge regression of its own, with biases. Power 1 is the weighted lambda of Zhou et al. 2008,
too strong for rows of hundreds of ratings; with less one setting serves small data and large.
Entities of about as many ratings are solved at once (`als_side`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.als_posterior import Posterior, Ridge, draw_posterior, draws_kept
from collab.estimators.als_side import Side, inputs_of, sides_of
from collab.estimators.api import Context, Factors
from collab.estimators.cost import Cost, Size, memory
from collab.estimators.fold_in import FoldsIn, Prior
from collab.estimators.space import Span

START = 0.1  # standard deviation of the first item factors
SWEEP_SECONDS, DRAW_SECONDS = 5.2e-7, 1.4e-6  # for a rating, 48 columns
WARM = 0.28  # of a sweep, what a warm one takes
OTHER_SEED = 1 << 40  # so that draws are of other numbers than the first item factors


@dataclass(frozen=True, kw_only=True)
class Als:
    """Factors and biases of users and items by alternating ridge regressions.

    n_factors: of each user and item, besides the bias; two less than a multiple of 8 serve best.
    sweeps: how often both sides are solved; the first `warm_sweeps`, but never the last, with
        `warm_factors` alone, which costs a fourth and finds what is largest.
    ridge, ridge_share, ridge_power: the penalty of a row of n ratings is
        ridge + ridge_share n^ridge_power.
    draws: of the rows from their posterior, kept with the model; of large tables fewer.
    """

    uses_time: ClassVar[bool] = False
    explains: ClassVar[bool] = True
    n_factors: Annotated[int, Span(low=8, high=100, log=True)] = 46
    sweeps: Annotated[int, Span(low=3, high=12)] = 7
    warm_sweeps: int = 3
    warm_factors: int = 14
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
        mean = float(rows.ratings.double().mean())
        sides = sides_of(rows)
        users = torch.zeros(context.n_users, self.n_factors + 1, device=context.device)
        items = self.first_items(context)
        items[sides[1].counts == 0] = 0
        for number in range(self.sweeps):
            warm = number < min(self.warm_sweeps, self.sweeps - 1)
            loss = self.sweep(sides, (users, items), mean, warm=warm)
            tables = {"users": users.cpu(), "items": items.cpu(), "mean": torch.tensor([mean])}
            draw = partial(self.posterior, sides, (users, items), mean, loss, context)
            yield Alternated(tables, context.scale, self, loss, draw)

    def sweep(
        self, sides: tuple[Side, Side], rows: tuple[Tensor, Tensor], mean: float, *, warm: bool
    ) -> float:
        """Solve both sides in place; returns the mean squared error.

        The factors that a warm sweep leaves alone are still zero on the users' side.
        """
        if not (warm and self.warm_factors < self.n_factors):
            self.solve(sides[0], inputs_of(rows[1], mean), rows[0])
            return self.solve(sides[1], inputs_of(rows[0], mean), rows[1])
        some = [*range(self.warm_factors), self.n_factors]  # the bias comes last
        users, items = (side[:, some] for side in rows)
        self.solve(sides[0], inputs_of(items, mean), users)
        loss = self.solve(sides[1], inputs_of(users, mean), items)
        for side, solved in zip(rows, (users, items), strict=True):
            side[:, some] = solved
        return loss

    def first_items(self, context: Context) -> Tensor:
        """Small random factors, bias 0, (n_items, n_factors + 1)."""
        shape = (context.n_items, self.n_factors + 1)
        drawn = torch.randn(shape, generator=context.generator(), device=context.device) * START
        drawn[:, -1] = 0
        return drawn

    def solve(self, side: Side, inputs: Tensor, into: Tensor) -> float:
        """Solve every row of a side given the other's inputs; returns the mean squared error."""
        error = torch.zeros((), dtype=torch.float64, device=into.device)
        for at, products in side.products(inputs):
            penalty = self.penalty(side.counts[at])
            found, left = ridge_rows(products, penalty, into.shape[1])
            into[at] = found
            error += left.sum()
        return float(error) / len(side.ratings)

    def penalty(self, counts: Tensor) -> Tensor:
        """The penalties (m,) of rows of so many ratings (m,)."""
        return self.ridge + self.ridge_share * counts.float() ** self.ridge_power

    def ridges(self, side: Side, inputs: Tensor) -> Iterator[Ridge]:
        """The regressions of a side's rows given the other's inputs."""
        for at, products in side.products(inputs):
            penalty = self.penalty(side.counts[at])
            yield Ridge(at, penalty, precision(products, penalty))

    def posterior(
        self,
        sides: tuple[Side, Side],
        rows: tuple[Tensor, Tensor],
        mean: float,
        loss: float,
        where: Context,
    ) -> Posterior:
        """Draws around the rows of users and items (n, k + 1), each side given the other."""
        g = torch.Generator(where.device).manual_seed(where.seed + OTHER_SEED)
        others = reversed([inputs_of(side, mean) for side in rows])
        ridges = [self.ridges(side, other) for side, other in zip(sides, others, strict=True)]
        counts = [side.counts for side in sides]
        return draw_posterior(ridges, rows, counts, loss, self.draws, g)

    def cost(self, size: Size) -> Cost:
        """The sweeps, and the draws at the end."""
        width = self.n_factors + 1
        numbers = (size.n_users + size.n_items) * width
        warm = min(self.warm_sweeps, self.sweeps - 1)
        sweeps = self.sweeps - warm + warm * WARM
        seconds = size.n_ratings * (sweeps * SWEEP_SECONDS + DRAW_SECONDS) * width / 47
        drawn = draws_kept(self.draws, numbers) // 2  # in half precision
        mib = memory(size, numbers=numbers, copies=6 + drawn)
        return Cost(seconds=seconds, mib=mib, steps=self.sweeps, numbers=numbers)

    def load(self, folder: Path) -> "Alternated":
        """The model in a folder."""
        tables = load_file(folder / "model.safetensors")
        low, high = tables.pop("scale").tolist()
        users, items = tables.pop("draws.users"), tables.pop("draws.items")
        posterior = Posterior(users=users, items=items, noise=float(tables.pop("noise")))
        return Alternated(tables, (low, high), self, float("nan"), lambda: posterior)


def ridge_rows(products: Tensor, penalty: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The ridge regressions (m, k) of products (m, w, w), and the squared errors (m,), float64."""
    right, total = products[:, -1].clone(), products[:, -1, -1].double()
    lower = torch.linalg.cholesky(precision(products, penalty))
    found = torch.cholesky_solve(right[:, :, None], lower)[:, :k, 0]
    # y'y - 2 w'X'y + w'X'X w, where (X'X + penalty) w = X'y; rounded it may be below 0
    explained = found * right[:, :k] + penalty[:, None] * found.square()
    return found, (total - explained.double().sum(1)).clamp(min=0)


def precision(products: Tensor, penalty: Tensor) -> Tensor:
    """What the ridge regressions invert (m, w, w), in place of the products.

    The columns that are no inputs, the last of them y, are left to themselves.
    """
    products[:, -1] = 0
    products[:, :, -1] = 0
    products.diagonal(dim1=1, dim2=2).add_(penalty[:, None])
    return products


class Alternated(FoldsIn):
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

    def prior(self) -> Prior:
        """Of a user's row: the ridge, around zero."""
        width = self.by.n_factors + 1
        return Prior(
            mean=torch.zeros(width, dtype=torch.float64),
            precision=torch.eye(width, dtype=torch.float64),
            noise=self.posterior.noise,
            ridge=self.by.ridge,
            share=self.by.ridge_share,
            power=self.by.ridge_power,
        )

    def save(self, folder: Path) -> None:
        """`model.safetensors`, the draws included."""
        tables = {name: table.contiguous() for name, table in self.tables.items()}
        found = self.posterior
        tables |= {"draws.users": found.users, "draws.items": found.items}
        tables |= {"noise": torch.tensor([found.noise]), "scale": torch.tensor(self.scale)}
        save_file(tables, folder / "model.safetensors")
