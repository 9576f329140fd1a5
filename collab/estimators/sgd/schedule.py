"""The one-cycle schedule (Smith 2018) in the form of fastai's `fit_one_cycle`."""

import math

from collab.estimators.sgd.settings import Settings


def cosine(start: float, end: float, position: float) -> float:
    """Half a cosine from `start` at position 0 to `end` at position 1."""
    return start + (1 + math.cos(math.pi * (1 - position))) * (end - start) / 2


def one_cycle(settings: Settings, position: float) -> tuple[float, float]:
    """Learning rate and beta1 where `position` of all steps (0 to 1) are done."""
    first, top, last = settings.momentum
    lr = settings.lr_max
    if position < settings.pct_start:
        part = position / settings.pct_start
        return cosine(lr / settings.div, lr, part), cosine(first, top, part)
    part = (position - settings.pct_start) / (1 - settings.pct_start)
    return cosine(lr, lr / settings.div_final, part), cosine(top, last, part)
