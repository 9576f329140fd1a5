"""The one-cycle schedule at points worked out by hand."""

import pytest

from collab.estimators.sgd.schedule import one_cycle
from collab.estimators.sgd.settings import Settings

# lr_max 5e-3, div 25, div_final 1e5, pct_start 0.25; half-way up and down a cosine is the mean
POINTS = [
    (0.0, 2e-4, 0.95),
    (0.125, (2e-4 + 5e-3) / 2, 0.90),
    (0.25, 5e-3, 0.85),
    (0.625, (5e-3 + 5e-8) / 2, 0.90),
    (1.0, 5e-8, 0.95),
    # a third of the way down: 5e-3 + (1 + cos(pi * 2/3)) / 2 * (5e-8 - 5e-3) = 3/4 of it is left
    (0.5, 5e-3 - 0.25 * (5e-3 - 5e-8), 0.85 + 0.25 * 0.10),
]


@pytest.mark.parametrize(("position", "lr", "beta1"), POINTS)
def test_by_hand(position: float, lr: float, beta1: float) -> None:
    assert one_cycle(Settings(), position) == pytest.approx((lr, beta1), rel=1e-9)
