"""What a chain has found so far, as tables on the CPU: enough to predict any row."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from collab.dataset.rows import Rows
from collab.estimators.api import Range
from collab.estimators.bayes.accumulate import Accumulator
from collab.estimators.bayes.chain import Chain, score
from collab.estimators.bayes.effects import Codes, find
from collab.estimators.bayes.likelihood import OrderedProbit
from collab.estimators.bayes.lowrank import compress, row_weights

Draw = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Posterior moments over `n` sweeps.

    tables: left (n_users, c), right (n_items, c): the mean of P Q'; means by the names that
        `Accumulator.add` gives them; counts of ratings `user_counts`, `item_counts`; `levels` of an
        ordered probit; the sorted `keys` of each effect.
    draws: rows of users and items of some sweeps. offset: what scores are added to, stars.
    """

    n: int
    tables: Mapping[str, Tensor]
    draws: Sequence[Draw]
    codes: Codes
    offset: float
    scale: Range

    @classmethod
    def of(cls, found: Accumulator, chain: Chain, codes: Codes, scale: Range) -> "Moments":
        """The moments of a chain so far."""
        known = {k: v for k, v in found.sums.items() if not k.startswith("left_out.")}
        tables = {name: (value / found.n).cpu() for name, value in known.items()}
        tables |= {"left": (found.left / found.n).cpu(), "right": found.right.cpu()}
        tables |= {f"{e.name}.keys": e.keys.cpu() for e in chain.effects}
        tables["user_counts"] = chain.users.starts.diff()
        tables["item_counts"] = chain.items.starts.diff()
        if isinstance(chain.likelihood, OrderedProbit):
            tables["levels"] = chain.likelihood.levels.cpu()
        bands = {name: band.cpu() for name, band in codes.bands.items()}
        return cls(
            n=found.n,
            tables=tables,
            draws=tuple(found.draws),
            codes=Codes(codes.names, bands),
            offset=chain.likelihood.offset,
            scale=scale,
        )

    def score(self, rows: Rows) -> Tensor:
        """Posterior mean of the score (n,), without the offset."""
        users, items = rows.users.cpu().long(), rows.items.cpu().long()
        tables = self.tables
        left = torch.cat([tables["left"], tables["user_bias"][:, None]], 1)
        right = torch.cat([tables["right"], tables["item_bias"][:, None]], 1)
        total = score(left, right, users, items)
        for name in self.codes.names:
            at, there = self.find(name, rows)
            total = total + torch.where(there, tables[f"{name}.mean"][at], 0.0)
        return total

    def variance(self, rows: Rows) -> Tensor:
        """Posterior variance of the score (n,): of the rows over the draws, and of the effects."""
        users, items = rows.users.cpu().long(), rows.items.cpu().long()
        total = torch.zeros(len(rows))
        if len(self.draws) > 1:
            drawn = torch.stack([score(*draw, users, items) for draw in self.draws])
            total = total + drawn.var(0)
        for name in self.codes.names:
            at, there = self.find(name, rows)
            mean, square = self.tables[f"{name}.mean"], self.tables[f"{name}.square"]
            known = (square - mean.square()).clamp(min=0)[at]
            total = total + torch.where(there, known, self.tables[f"{name}.prior"])
        return total

    def find(self, name: str, rows: Rows) -> tuple[Tensor, Tensor]:
        """Where each row's level (n,) of an effect stands, and whether training rows have it."""
        cpu = rows.to(torch.device("cpu"))
        return find(self.tables[f"{name}.keys"], self.codes.keys(name, cpu))

    def save(self, folder: Path, more: Mapping[str, Any]) -> None:
        """`model.safetensors` and `model.json`, the latter with `more` under its own names."""
        tensors = {f"table.{name}": value.contiguous() for name, value in self.tables.items()}
        tensors |= {f"band.{name}": value.contiguous() for name, value in self.codes.bands.items()}
        for name, side in (("draws.users", 0), ("draws.items", 1)):
            if self.draws:
                tensors[name] = torch.stack([draw[side] for draw in self.draws])
        save_file(tensors, folder / "model.safetensors")
        record = {"n": self.n, "offset": self.offset, "scale": self.scale, **more}
        record["effects"] = self.codes.names
        (folder / "model.json").write_text(json.dumps(record), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> tuple["Moments", dict[str, Any]]:
        """What `save` wrote, and all of its record."""
        tensors = load_file(folder / "model.safetensors")
        record = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        users, items = tensors.get("draws.users", ()), tensors.get("draws.items", ())
        moments = cls(
            n=record["n"],
            tables=named(tensors, "table."),
            draws=tuple(zip(users, items, strict=True)),
            codes=Codes(tuple(record["effects"]), named(tensors, "band.")),
            offset=record["offset"],
            scale=tuple(record["scale"]),
        )
        return moments, record


def named(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def merge(parts: Sequence[Moments], columns: int) -> Moments:
    """The moments of several chains on the same rows with other seeds, as of one."""
    n = sum(part.n for part in parts)
    shares = [part.n / n for part in parts]
    means = {
        name: torch.stack([s * p.tables[name] for s, p in zip(shares, parts, strict=True)]).sum(0)
        for name in parts[0].tables
        if name not in ("left", "right") and parts[0].tables[name].is_floating_point()
    }
    left = torch.cat([s * p.tables["left"] for s, p in zip(shares, parts, strict=True)], 1)
    right = torch.cat([p.tables["right"] for p in parts], 1)
    weights = [row_weights(parts[0].tables[f"{side}_counts"]) for side in ("user", "item")]
    product = compress(left, right, columns, (weights[0], weights[1]))
    tables = {**parts[0].tables, **means, "left": product[0], "right": product[1]}
    draws = tuple(draw for part in parts for draw in part.draws)
    return Moments(
        n=n,
        tables=tables,
        draws=draws,
        codes=parts[0].codes,
        offset=parts[0].offset,
        scale=parts[0].scale,
    )
