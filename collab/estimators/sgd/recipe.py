"""A recipe: a model and everything that training it depends on, but for data, seed and device."""

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import nn

from collab.base.errors import CollabError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one variant is trained.

    name: the variant's name.
    model: the class, made by `model(n_users, n_items, generator=..., **arguments)`.
    arguments: the model's own hyperparameters.
    epochs: passes over the training rows.
    batch_size: rows of one step; the last short batch of an epoch is dropped.
    batch_share: rows of one step for each user and item, if that is more: AdamW touches every row
        of the tables at each step, so that a fixed batch would cost more the more rows they have.
    lr_max: the learning rate at the top of the one-cycle schedule.
    div, div_final: lr_max over the first and over the last learning rate.
    pct_start: the part of the steps in which the learning rate rises.
    momentum: beta1 at the start, at the top and at the end.
    beta2, eps: AdamW's.
    wd: decoupled weight decay, times the learning rate at each step.
    """

    name: str
    model: type[nn.Module]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 5
    batch_size: int = 64
    batch_share: float = 0.0
    lr_max: float = 5e-3
    div: float = 25.0
    div_final: float = 1e5
    pct_start: float = 0.25
    momentum: tuple[float, float, float] = (0.95, 0.85, 0.95)
    beta2: float = 0.99
    eps: float = 1e-5
    wd: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.epochs < 1:
            raise CollabError(f"epochs is {self.epochs}; at least 1 is needed.")
        if self.batch_size < 1 or self.lr_max <= 0 or self.wd < 0 or not 0 < self.pct_start < 1:
            raise ValueError(f"recipe {self.name}: a setting is out of its range: {self}")

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with some settings changed."""
        return replace(self, **changes)

    def sized(self, n_users: int, n_items: int) -> "Recipe":
        """The same recipe with the batch size for so many users and items settled."""
        share = round(self.batch_share * (n_users + n_items))
        return self.but(batch_size=max(self.batch_size, share), batch_share=0.0)

    def build(self, n_users: int, n_items: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn model for so many users and items, the unknown counted."""
        return self.model(n_users, n_items, generator=generator, **self.arguments)

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain values; the model by its import path."""
        plain = asdict(replace(self, model=nn.Module))
        return {**plain, "model": f"{self.model.__module__}:{self.model.__qualname__}"}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_json` wrote."""
        module, _, name = record["model"].partition(":")
        model = getattr(importlib.import_module(module), name)
        return cls(**{**record, "model": model, "momentum": tuple(record["momentum"])})
