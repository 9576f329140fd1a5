"""Paired differences by hand: of equal rows, by user, with an interval."""

import numpy as np
import pytest

from collab.base.errors import CollabError
from collab.evaluation.judged import Judged
from collab.evaluation.paired import GROUPS, by_group, paired_difference


def judged(squared: list[float], users: list[int] | None = None, first: int = 0) -> Judged:
    """Judged rows, each of a user of its own if not told."""
    n = len(squared)
    return Judged(
        position=np.arange(first, first + n, dtype=np.int32),
        user_id=np.array(users or range(1, n + 1), dtype=np.int32),
        squared=np.array(squared, dtype=np.float64),
    )


def test_equal_errors_do_not_differ() -> None:
    one = judged([1.0, 4.0, 0.25, 0.0])
    found = paired_difference(one, one)
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert not found.differs


@pytest.mark.parametrize("shift", [0.5, -0.5])
def test_a_constant_shift_is_sure_however_large_the_errors(shift: float) -> None:
    other = [1.0, 100.0, 0.25, 7.0]
    found = paired_difference(judged([e + shift for e in other]), judged(other))
    assert (found.value, found.low, found.high) == pytest.approx((shift, shift, shift))
    assert found.differs


def test_the_value_is_the_difference_of_the_mean_errors() -> None:
    # two rows of user 1 and one of user 2: (1 + 2 + 6) / 3 against (0 + 0 + 3) / 3
    users = [1, 1, 2]
    found = paired_difference(judged([1.0, 2.0, 6.0], users), judged([0.0, 0.0, 3.0], users))
    assert found.value == pytest.approx(3 - 1)
    # user 1 alone gives 3 / 2, user 2 alone 3; every draw lies between
    assert (found.low, found.high) == pytest.approx((1.5, 3))


def test_rows_of_one_user_go_together() -> None:
    # drawn row by row the mean of 200 would be within 0.2 of 0; of two users both may be the same
    users = [1] * 100 + [2] * 100
    found = paired_difference(judged([1.0] * 100 + [0.0] * 100, users), judged([0.5] * 200, users))
    assert found.value == pytest.approx(0)
    assert (found.low, found.high) == pytest.approx((-0.5, 0.5))
    assert not found.differs


def test_many_users_who_agree_make_it_sure_and_few_do_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.1, 1, 10_000)
    many = paired_difference(judged((noise + 5).tolist()), judged([5.0] * 10_000))
    few = paired_difference(judged((noise[:20] + 5).tolist()), judged([5.0] * 20))
    assert many.differs
    assert many.low < 0.1 < many.high
    # the standard error is 1 / 100, of which the interval is four
    assert many.high - many.low == pytest.approx(0.04, rel=0.25)
    assert not few.differs


def test_it_turns_round_when_the_runs_do() -> None:
    rng = np.random.default_rng(0)
    one, other = (judged(rng.uniform(0, 1, 50).tolist()) for _ in range(2))
    here, there = paired_difference(one, other), paired_difference(other, one)
    assert here.value == pytest.approx(-there.value)
    assert (here.low, here.high) == pytest.approx((-there.high, -there.low))


def test_it_is_seeded() -> None:
    rng = np.random.default_rng(0)
    one, other = (judged(rng.uniform(0, 1, 50).tolist()) for _ in range(2))
    assert paired_difference(one, other) == paired_difference(one, other, seed=0)
    assert paired_difference(one, other).low != paired_difference(one, other, seed=1).low
    assert paired_difference(one, other).value == paired_difference(one, other, seed=1).value


@pytest.mark.parametrize(
    "other",
    [judged([1.0, 1.0], first=5), judged([1.0]), judged([1.0] * 3), judged([])],
    ids=["other rows", "fewer", "more", "none"],
)
def test_other_rows_cannot_be_compared(other: Judged) -> None:
    with pytest.raises(CollabError, match="only be compared on equal rows"):
        paired_difference(judged([1.0, 1.0]), other)


def test_nothing_cannot_be_compared_with_nothing() -> None:
    with pytest.raises(CollabError, match="only be compared on equal rows"):
        paired_difference(judged([]), judged([]))


def test_sums_and_counts_by_user() -> None:
    sums, counts = by_group(np.array([1.0, 2.0, 4.0, 8.0]), np.array([7, 9, 7, 7], np.int32))
    assert (sums.tolist(), counts.tolist()) == ([13, 2], [3, 1])


def test_very_many_users_are_pooled_whole() -> None:
    users = np.repeat(np.arange(3 * GROUPS, dtype=np.int32), 2)
    sums, counts = by_group(users.astype(np.float64), users)
    assert len(sums) == GROUPS
    assert set(counts.tolist()) == {6}  # three users of two rows each
    assert sums.sum() == users.sum()
