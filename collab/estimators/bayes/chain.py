"""The Gibbs sampler: one sweep draws every part given all others.

score = p_u . q_i + b_u + c_i + sum_e x_e[level of e]

A chain is its data, which never changes, and its state, a dictionary of tensors: a chain that takes
a state back goes on with the same numbers.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from collab.base.errors import CollabError
from collab.dataset.rows import Rows
from collab.estimators.bayes.effects import Effect
from collab.estimators.bayes.entity import Entity
from collab.estimators.bayes.likelihood import Likelihood

CHUNK = 1 << 18  # ratings whose factors are gathered at once


@dataclass
class Chain:
    """A sampler over training rows in the order of user, then time.

    by_item (n,): the rows in the order of items; scores (n,): at the training rows, effects (n,)
    their share; n_sweeps: done so far.
    """

    users: Entity
    items: Entity
    effects: list[Effect]
    likelihood: Likelihood
    train: Rows
    by_item: Tensor
    g: torch.Generator
    n_sweeps: int = 0

    def __post_init__(self) -> None:
        """Scores and effects of a chain that starts."""
        self.scores = torch.zeros(len(self.train), device=self.train.device)
        self.shares = torch.zeros_like(self.scores)

    def sweep(self, *, adapt: bool = False) -> None:
        """Draw everything once; `adapt` while burning in.

        Raises:
            CollabError: the numbers are no longer finite.
        """
        try:
            self.likelihood.before(self.scores, self.g, adapt=adapt)
            self.draw_users()
            self.draw_items()
            self.draw_effects()
            self.likelihood.after(self.scores, self.g)
            finite = bool(self.scores.sum().isfinite())
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            finite = False
        if not finite:
            raise CollabError(
                f"Sampling diverged in sweep {self.n_sweeps + 1}: the scores are not finite. "
                "Check the ratings, or try another seed or fewer factors."
            )
        self.n_sweeps += 1

    def draw_users(self) -> None:
        """Prior and rows of the users."""
        wanted = self.likelihood.target - self.shares
        target = wanted - self.items.rows[:, -1].index_select(0, self.train.items)
        self.users.draw_prior(self.g)
        self.users.draw_rows(with_one(self.items.rows), self.likelihood.weight, target, self.g)

    def draw_items(self) -> None:
        """Prior and rows of the items, from the ratings in their order."""
        wanted = self.likelihood.target - self.shares
        target = wanted - self.users.rows[:, -1].index_select(0, self.train.users)
        weight = self.likelihood.weight.index_select(0, self.by_item)
        self.items.draw_prior(self.g)
        target = target.index_select(0, self.by_item)
        self.items.draw_rows(with_one(self.users.rows), weight, target, self.g)

    def draw_effects(self) -> None:
        """Each code's effects, given the rows and the other codes."""
        rows = score(self.users.rows, self.items.rows, self.train.users, self.train.items)
        total = rows + self.shares
        for effect in self.effects:
            without = total - effect.at_rows()
            left = self.likelihood.target - without
            effect.draw(left, self.likelihood.weight, self.g)
            total = without + effect.at_rows()
        self.scores, self.shares = total, total - rows

    def state(self) -> dict[str, Tensor]:
        """All that sweeps change, the generator included, as tensors."""
        found = {"scores": self.scores, "shares": self.shares, "generator": self.g.get_state()}
        found["n_sweeps"] = torch.tensor(self.n_sweeps)
        for name, part in self.parts().items():
            found |= {f"{name}.{key}": value for key, value in part.state().items()}
        for effect in self.effects:
            found |= {f"{effect.name}.x": effect.x, f"{effect.name}.precision": effect.precision}
        return {name: value.clone().contiguous() for name, value in found.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave, with the same numbers as the chain that gave it."""
        there = {k: v if k == "generator" else v.to(self.g.device) for k, v in state.items()}
        self.scores, self.shares = there["scores"], there["shares"]
        self.n_sweeps = int(there["n_sweeps"])
        self.g.set_state(there["generator"])
        for name, part in self.parts().items():
            prefix = f"{name}."
            own = {k.removeprefix(prefix): v for k, v in there.items() if k.startswith(prefix)}
            part.restore(own)
        for effect in self.effects:
            effect.x, effect.precision = (
                there[f"{effect.name}.x"],
                there[f"{effect.name}.precision"],
            )

    def parts(self) -> dict[str, Entity | Likelihood]:
        """What has a state of its own, by name."""
        return {"users": self.users, "items": self.items, "likelihood": self.likelihood}


def with_one(rows: Tensor) -> Tensor:
    """Rows (n, K) with 1 in place of the bias: what the other side's rows are multiplied by."""
    return torch.cat([rows[:, :-1], rows.new_ones(len(rows), 1)], 1)


def score(users: Tensor, items: Tensor, at_user: Tensor, at_item: Tensor) -> Tensor:
    """p_u . q_i + b_u + c_i (n,) of pairs (n,), (n,), gathered within a budget."""
    one = with_one(items)
    parts = [
        (users.index_select(0, u) * one.index_select(0, i)).sum(1) + items[:, -1].index_select(0, i)
        for u, i in zip(torch.split(at_user, CHUNK), torch.split(at_item, CHUNK), strict=True)
    ]
    return torch.cat(parts)
