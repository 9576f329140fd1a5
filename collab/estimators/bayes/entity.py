"""One side of the matrix: its rows of factors, their prior, and how both are drawn.

Rows W_n ~ N(mu + sum_g U_gn S_g B_g, Lambda^-1), the bias being the last column (Salakhutdinov &
Mnih 2008, with features as in Macau, Simm et al. 2017). Rows of B_g ~ N(0, (lambda_g Lambda)^-1),
lambda_g ~ Gamma(1, 1), Lambda ~ Wishart(K, I), mu ~ N(0, (2 Lambda)^-1).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from collab.estimators.bayes.basis import Basis, sparse
from collab.estimators.bayes.draws import gamma, normal, wishart

MEAN_WEIGHT = 2.0  # mu counts as the mean of so many rows
BUDGET = 1 << 24  # numbers in the Gram matrices that are held at once


class Entity:
    """n rows of K numbers: factors, then a bias.

    starts (n + 1,), others (rows,): the ratings of each row, and which row of the other side each
    is of. Rows without ratings take no part in drawing the prior.
    """

    def __init__(self, starts: Tensor, others: Tensor, bases: list[Basis], width: int) -> None:
        """Rows at the prior's start; the sampler sets them before the first sweep."""
        self.starts, self.others, self.bases, device = starts.cpu(), others, bases, others.device
        self.n, self.width = len(starts) - 1, width
        self.seen = (starts.diff() > 0).to(device)
        self.rows = torch.zeros(self.n, width, device=device)
        self.mu = torch.zeros(width, device=device)
        self.precision = 5 * torch.eye(width, device=device)
        self.weights = [torch.zeros(len(b.strengths), width, device=device) for b in bases]
        self.ridges = [torch.tensor(2.0, device=device) for _ in bases]
        self.told = [torch.zeros(self.n, width, device=device) for _ in bases]
        self.lower = torch.tril_indices(width, width, device=device)
        square = torch.zeros(width, width, dtype=torch.int64, device=device)
        square[self.lower[0], self.lower[1]] = torch.arange(self.lower.shape[1], device=device)
        self.square = (square + torch.tril(square, -1).mT).flatten()

    def state(self) -> dict[str, Tensor]:
        """All that a sweep changes; `restore` takes it back."""
        named = {"rows": self.rows, "mu": self.mu, "precision": self.precision}
        named |= {f"weights{g}": w for g, w in enumerate(self.weights)}
        return named | {f"ridge{g}": r for g, r in enumerate(self.ridges)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state."""
        self.rows, self.mu, self.precision = state["rows"], state["mu"], state["precision"]
        self.weights = [state[f"weights{g}"] for g in range(len(self.bases))]
        self.ridges = [state[f"ridge{g}"] for g in range(len(self.bases))]
        self.told = [self.tell(g) for g in range(len(self.bases))]

    def tell(self, group: int) -> Tensor:
        """What a group of features says of each row, (n, K)."""
        basis = self.bases[group]
        return basis.vectors @ (basis.strengths[:, None] * self.weights[group])

    def prior_mean(self) -> Tensor:
        """Mean of each row's prior, (n, K)."""
        mean = self.mu.expand(self.n, self.width)
        for told in self.told:
            mean = mean + told
        return mean

    def expected(self) -> Tensor:
        """The rows, those without ratings at the mean of their prior, (n, K)."""
        return torch.where(self.seen[:, None], self.rows, self.prior_mean())

    def draw_prior(self, g: torch.Generator) -> None:
        """Lambda, then mu, then each group's weights and their ridge, given the rows."""
        left = self.rows
        for told in self.told:
            left = left - told
        root = self.draw_precision(left, g)
        n, mean = int(self.seen.sum()), self.mean_of_seen(left)
        noise = normal((self.width,), g) @ root
        self.mu = n / (n + MEAN_WEIGHT) * mean + noise / (n + MEAN_WEIGHT) ** 0.5
        for group in range(len(self.bases)):
            left = left + self.told[group]
            self.draw_weights(group, left - self.mu, root, g)
            left = left - self.told[group]

    def mean_of_seen(self, rows: Tensor) -> Tensor:
        """Mean of the rows that have ratings, (K,)."""
        return (rows * self.seen[:, None]).sum(0) / self.seen.sum().clamp(min=1)

    def draw_precision(self, left: Tensor, g: torch.Generator) -> Tensor:
        """Lambda with mu integrated out; returns C with Lambda^-1 = C' C."""
        n, mean = int(self.seen.sum()), self.mean_of_seen(left)
        apart = (left - mean) * self.seen[:, None]
        scale = torch.eye(self.width, device=left.device) + apart.mT @ apart
        scale += n * MEAN_WEIGHT / (n + MEAN_WEIGHT) * torch.outer(mean, mean)
        degrees = self.width + n
        for weights, ridge in zip(self.weights, self.ridges, strict=True):
            scale += ridge * (weights.mT @ weights)
            degrees += len(weights)
        precision = wishart(degrees, scale, g)
        self.precision = precision.float()
        lower = torch.linalg.cholesky(precision)
        eye = torch.eye(self.width, device=left.device, dtype=lower.dtype)
        root: Tensor = torch.linalg.solve_triangular(lower, eye, upper=False)
        return root.float()

    def draw_weights(self, group: int, rest: Tensor, root: Tensor, g: torch.Generator) -> None:
        """One group's B and lambda, given what the others leave of the rows (n, K)."""
        basis = self.bases[group]
        size, shrunk = len(basis.strengths), basis.strengths**2 + self.ridges[group]
        seen = rest * self.seen[:, None]
        mean = (basis.strengths / shrunk)[:, None] * (basis.vectors.mT @ seen)
        noise = normal((size, self.width), g) @ root
        self.weights[group] = weights = mean + noise * shrunk.rsqrt()[:, None]
        self.told[group] = self.tell(group)
        shape = torch.tensor([1 + size * self.width / 2], device=rest.device)
        rate = 1 + ((weights @ self.precision) * weights).sum() / 2
        self.ridges[group] = (gamma(shape, g)[0] / rate).float()

    def draw_rows(self, x: Tensor, weight: Tensor, target: Tensor, g: torch.Generator) -> None:
        """All rows given the other side.

        x (m, K): the other side's rows, 1 in place of the bias; weight, target (ratings,):
        precision and value of each rating, in the order of `others`.
        """
        pairs = x.index_select(1, self.lower[0]) * x.index_select(1, self.lower[1])
        pull = self.prior_mean() @ self.precision
        new = []
        for a, b, first, last in self.buckets():
            starts, others = self.starts[a : b + 1] - first, self.others[first:last]
            starts, value = starts.to(x.device), weight[first:last]
            gram = sparse(starts, others, value, len(x)) @ pairs
            gram = gram.index_select(1, self.square).view(b - a, self.width, self.width)
            right = sparse(starts, others, value * target[first:last], len(x)) @ x + pull[a:b]
            lower = torch.linalg.cholesky(gram + self.precision)
            half = torch.linalg.solve_triangular(lower, right[..., None], upper=False)
            half += normal((b - a, self.width, 1), g)
            new.append(torch.linalg.solve_triangular(lower.mT, half, upper=True).squeeze(-1))
        self.rows = torch.cat(new)

    def buckets(self) -> Iterator[tuple[int, int, int, int]]:
        """Rows a to b, and where their ratings begin and end, within the budget."""
        step = max(1, BUDGET // self.width**2)
        for a in range(0, self.n, step):
            b = min(a + step, self.n)
            yield a, b, int(self.starts[a]), int(self.starts[b])
