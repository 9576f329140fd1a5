"""Dots and bars stand where their numbers say."""

import pytest

from collab.report.strips import bars, round_scale


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((0.7607, 0.8724), ["0.75", "0.80", "0.85", "0.90"]),
        ((1.0, 2.0), ["1.0", "1.5", "2.0"]),
        ((0.9, 0.9), ["0.5", "1.0"]),
        ((0.0, 0.0), ["0.0", "0.5"]),
        ((-20.0, 75.0), ["-50", "0", "50", "100"]),
    ],
)
def test_a_scale_has_round_ends_and_few_ticks(values: tuple[float, ...], ticks: list[str]) -> None:
    scale = round_scale(values)
    assert scale.low <= min(values) <= max(values) <= scale.high
    assert [text for _, text in scale.ticks] == ticks
    assert (scale.ticks[0][0], scale.ticks[-1][0]) == (0.0, 100.0)


def row(bias: float, half: float | None = None) -> dict[str, float | None]:
    """A row of a table of biases."""
    ends = (None, None) if half is None else (bias - half, bias + half)
    return {"bias": bias, "low": ends[0], "high": ends[1]}


def test_negative_bars_grow_leftwards_from_zero() -> None:
    """The lower table reaches from -1.5 to 0, which is the longer and so the whole track."""
    high, low = bars([row(1.0), row(0.5)], [row(-1.5), row(-0.75)])
    assert [each["zero_at"] for each in high] == [0.0, 0.0]
    assert [each["bar"] for each in high] == [(0.0, 66.7), (0.0, 33.3)]
    assert [each["zero_at"] for each in low] == [100.0, 100.0]
    assert [each["bar"] for each in low] == [(0.0, 100.0), (50.0, 50.0)]
    assert high[0]["whisker"] is None


def test_a_table_of_both_signs_has_its_zero_within_and_room_for_intervals() -> None:
    (rows,) = bars([row(2.0, half=1.0), row(-1.0, half=1.0)])
    assert [each["zero_at"] for each in rows] == [40.0, 40.0]
    assert [each["bar"] for each in rows] == [(40.0, 40.0), (20.0, 20.0)]
    assert [each["whisker"] for each in rows] == [(60.0, 40.0), (0.0, 40.0)]


def test_no_bars_at_all() -> None:
    assert bars([], []) == [[], []]
    assert bars([row(0.0)])[0][0]["bar"] == (0.0, 0.0)
