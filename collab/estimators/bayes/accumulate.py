"""Sums over the sweeps of a chain that are kept, from which posterior means are made."""

import torch
from torch import Tensor

from collab.estimators.bayes.chain import Chain
from collab.estimators.bayes.likelihood import Gaussian, OrderedProbit
from collab.estimators.bayes.lowrank import compress, row_weights

LEAST = 1e-5  # probability of a rating, so that one draw cannot outweigh all others


class Accumulator:
    """Sums of what predictions need, on the chain's device; it grows by `add`.

    sums: name -> sum over `n` sweeps. left (n_users, c), right (n_items, c): the sum of P Q'.
    draws: rows of users (n_users, K) and items (n_items, K) of some sweeps, the bias last.
    """

    def __init__(self, chain: Chain, columns: int, *, leave_out: bool = False) -> None:
        """Nothing yet; columns and leave_out as in `Plan`."""
        self.n, self.columns, self.leave_out = 0, columns, leave_out
        self.sums: dict[str, Tensor] = {}
        entities = (chain.users, chain.items)
        self.left, self.right = (chain.scores.new_zeros(e.n, 0) for e in entities)
        counts = [e.starts.diff().to(chain.scores.device) for e in entities]
        self.weights = (row_weights(counts[0]), row_weights(counts[1]))
        self.pending: list[tuple[Tensor, Tensor]] = []
        self.draws: list[tuple[Tensor, Tensor]] = []

    def add(self, chain: Chain) -> None:
        """Take in the state of a chain."""
        users, items = chain.users.expected(), chain.items.expected()
        self.pending.append((users[:, :-1], items[:, :-1]))
        self.gather("user_bias", users[:, -1])
        self.gather("item_bias", items[:, -1])
        for effect in chain.effects:
            self.gather(f"{effect.name}.mean", effect.x)
            self.gather(f"{effect.name}.square", effect.x.square())
            self.gather(f"{effect.name}.prior", effect.precision.reciprocal()[None])
        if isinstance(chain.likelihood, OrderedProbit):
            self.gather("cuts", chain.likelihood.points)
            if self.leave_out:
                self.gather_left_out(chain.likelihood, chain.scores)
        if isinstance(chain.likelihood, Gaussian):
            self.gather("variance", chain.likelihood.alpha.reciprocal()[None])
            self.gather("user_noise", chain.likelihood.noise[0].reciprocal())
            self.gather("item_noise", chain.likelihood.noise[1].reciprocal())
        self.n += 1

    def gather_left_out(self, likelihood: OrderedProbit, scores: Tensor) -> None:
        """Importance weights 1 / p(rating | draw), and the weighted stars (Gelfand 1992)."""
        mass = likelihood.probabilities(scores)
        of_rating = mass.gather(1, likelihood.kind[:, None])[:, 0]
        weight = of_rating.clamp(min=LEAST).reciprocal()
        self.gather("left_out.weight", weight)
        self.gather("left_out.stars", weight * (mass @ likelihood.levels))

    def left_out(self) -> Tensor:
        """Prediction (n,) of each training row without its own rating, stars."""
        return self.sums["left_out.stars"] / self.sums["left_out.weight"]

    def gather(self, name: str, value: Tensor) -> None:
        """Add to a sum."""
        self.sums[name] = self.sums[name] + value if name in self.sums else value

    def keep(self, chain: Chain) -> None:
        """Keep the rows of a chain as a draw, and make the products of late one of few columns."""
        self.draws.append((chain.users.rows.cpu(), chain.items.rows.cpu()))
        left = torch.cat([self.left, *(users for users, _ in self.pending)], 1)
        right = torch.cat([self.right, *(items for _, items in self.pending)], 1)
        self.left, self.right = compress(left, right, self.columns, self.weights)
        self.pending = []

    def state(self) -> dict[str, Tensor]:
        """All of it as tensors."""
        found = {f"sum.{name}": value for name, value in self.sums.items()}
        found |= {"left": self.left, "right": self.right, "n": torch.tensor(self.n)}
        for kind, pairs in (("pending", self.pending), ("draw", self.draws)):
            for number, (users, items) in enumerate(pairs):
                found |= {f"{kind}.{number}.users": users, f"{kind}.{number}.items": items}
        return {name: value.clone().contiguous() for name, value in found.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        device = self.left.device
        there = {k: v if k.startswith("draw.") else v.to(device) for k, v in state.items()}
        self.n, self.left, self.right = int(there["n"]), there["left"], there["right"]
        self.sums = {k.removeprefix("sum."): v for k, v in there.items() if k.startswith("sum.")}
        self.pending, self.draws = numbered(there, "pending"), numbered(there, "draw")


def numbered(state: dict[str, Tensor], kind: str) -> list[tuple[Tensor, Tensor]]:
    """The pairs of users' and items' rows, in their order."""
    n = sum(name.startswith(f"{kind}.") for name in state) // 2
    return [(state[f"{kind}.{k}.users"], state[f"{kind}.{k}.items"]) for k in range(n)]
