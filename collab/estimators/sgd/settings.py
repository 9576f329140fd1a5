"""The settings of gradient descent."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from collab.base.errors import CollabError
from collab.estimators.space import Span


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a model descends; the defaults are the chapter's.

    epochs: passes over the training rows.
    batch_size: rows of one step; the last short batch of an epoch is dropped.
    batch_share: rows of one step for each user and item, if that is more: AdamW touches every row
        of the tables at each step, so that a fixed batch would cost more the more rows they have.
    lr_max: the learning rate at the top of the one-cycle schedule.
    div, div_final: lr_max over the first and over the last learning rate.
    pct_start: the part of the steps in which the learning rate rises.
    momentum: beta1 at the start, at the top and at the end.
    beta2, eps: AdamW's.
    row_eps: eps in units of what one row adds to the mean loss's gradient: `row_eps / batch` in
        place of eps. A batch that grows with the data makes gradients smaller, and a fixed eps
        would then hold back what has few rows in it. 0: eps is fixed.
    wd: decoupled weight decay, times the learning rate at each step.
    lazy: step the rows of a batch alone, see `lazy.py`; for a gradient in closed form.
    """

    epochs: Annotated[int, Span(low=2, high=12)] = 5
    batch_size: int = 64
    batch_share: Annotated[float, Span(low=0.1, high=1.0, log=True)] = 0.0
    lr_max: Annotated[float, Span(low=2e-3, high=0.1, log=True)] = 5e-3
    div: float = 25.0
    div_final: float = 1e5
    pct_start: float = 0.25
    momentum: tuple[float, float, float] = (0.95, 0.85, 0.95)
    beta2: Annotated[float, Span(low=0.85, high=0.995)] = 0.99
    eps: float = 1e-5
    row_eps: Annotated[float, Span(low=1e-3, high=1.0, log=True)] = 0.0
    wd: Annotated[float, Span(low=5e-3, high=5.0, log=True)] = 0.01
    lazy: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.epochs < 1:
            raise CollabError(f"epochs is {self.epochs}; at least 1 is needed.")
        if self.batch_size < 1 or self.lr_max <= 0 or self.wd < 0 or not 0 < self.pct_start < 1:
            raise ValueError(f"a setting is out of its range: {self}")

    def but(self, **changes: Any) -> Self:
        """The same with some settings changed."""
        return replace(self, **changes)

    def sized(self, n_users: int, n_items: int) -> Self:
        """The same with the batch size for so many users and items settled, and eps with it."""
        size = max(self.batch_size, round(self.batch_share * (n_users + n_items)))
        eps = self.row_eps / size if self.row_eps else self.eps
        return self.but(batch_size=size, batch_share=0.0, eps=eps, row_eps=0.0)
