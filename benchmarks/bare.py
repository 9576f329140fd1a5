"""What a fit is told where there is nothing but ratings."""

import torch

from collab.dataset.features import Features
from collab.estimators.api import Context

SCALE = (1.0, 5.0)


def bare_context(seed: int, n_users: int, n_items: int) -> Context:
    """A context on the CPU without side features; the unknown user and item are counted."""
    features = Features(
        genres=torch.zeros(n_items, 0, dtype=torch.uint8),
        years=torch.zeros(n_items, dtype=torch.int16),
    )
    return Context(
        seed=seed,
        device=torch.device("cpu"),
        n_users=n_users,
        n_items=n_items,
        scale=SCALE,
        features=features,
    )
