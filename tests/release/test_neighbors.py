"""Exact neighbours: by hand, against numpy, and whatever the size of the tiles."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from collab.release import neighbors
from collab.release.similarity import popular_from, similarity_table
from tests.release.tiny import factors


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles whose edges fall inside the planted data, both ways."""
    for name, value in {"ROWS": 7, "COLUMNS": 12, "GROUP": 4}.items():
        monkeypatch.setattr(neighbors, name, value)


def cosines(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """All cosines; -2 for a row with itself."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(unit @ unit.T - 3 * np.eye(len(rows)))


def test_cosines_by_hand() -> None:
    # angles to item 10: 45 degrees, 90, 180; length does not matter
    found = factors([[1, 0], [5, 5], [0, 2], [-3, 0]])
    table = similarity_table(found, k=3)
    mine = table[table["item_id"] == 10]
    assert mine["neighbor_id"].tolist() == [20, 30, 40]
    assert mine["cosine"].tolist() == pytest.approx([2**-0.5, 0, -1], abs=1e-6)
    assert mine["rank"].tolist() == [1, 2, 3]
    assert (table["item_id"] != table["neighbor_id"]).all()


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("n", [6, 7, 8, 12, 13, 49, 50, 60])
def test_tiles_give_what_the_whole_matrix_gives(n: int) -> None:
    rows = np.random.default_rng(n).normal(size=(n, 4))
    table = similarity_table(factors(rows.tolist()), k=5)
    order = np.argsort(-cosines(rows), axis=1)[:, :5]
    assert table["neighbor_id"].tolist() == ((order + 1) * 10).ravel().tolist()
    expected = np.take_along_axis(cosines(rows), order, axis=1).ravel()
    assert table["cosine"].tolist() == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.usefixtures("small_tiles")
def test_the_best_may_come_last_or_first() -> None:
    # rising along a quarter circle: the nearest of the last item stand right before it
    angles = np.linspace(0, np.pi / 2, 40) ** 2
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for given in (rows, rows[::-1]):
        table = similarity_table(factors(given.tolist()), k=3)
        order = np.argsort(-cosines(given), axis=1, kind="stable")[:, :3]
        found = table["neighbor_id"].to_numpy().reshape(40, 3) // 10 - 1
        chosen = np.take_along_axis(cosines(given), found, axis=1)
        assert chosen == pytest.approx(np.take_along_axis(cosines(given), order, axis=1), abs=1e-6)


@pytest.mark.usefixtures("small_tiles")
def test_equal_items_are_all_equally_near() -> None:
    table = similarity_table(factors([[1.0, 2.0]] * 30), k=5)
    assert table["cosine"].tolist() == pytest.approx([1.0] * 150, abs=1e-6)
    assert (table["item_id"] != table["neighbor_id"]).all()
    assert not table.duplicated(["item_id", "neighbor_id"]).any()


def test_fewer_items_than_neighbours() -> None:
    assert len(similarity_table(factors([[1, 0], [0, 1], [1, 1]]))) == 6


@pytest.mark.usefixtures("small_tiles")
def test_popular_neighbours_are_ranked_by_themselves() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 4))
    popular = np.arange(60) % 3 == 0
    table = similarity_table(factors(rows.tolist()), torch.from_numpy(popular), k=5)
    every = cosines(rows)
    known = np.where(popular[None, :], every, -2)
    for name, of in (("rank", every), ("rank_popular", known)):
        listed = table[table[name].notna()].sort_values(["item_id", name])
        order = np.argsort(-of, axis=1)[:, :5]
        assert listed["neighbor_id"].tolist() == ((order + 1) * 10).ravel().tolist()
        assert listed[name].tolist() == [1, 2, 3, 4, 5] * 60
    assert not table.duplicated(["item_id", "neighbor_id"]).any()
    assert table[["rank", "rank_popular"]].notna().any(axis=1).all()


def test_by_default_all_are_popular() -> None:
    table = similarity_table(factors([[1, 0], [0, 1], [1, 1]]))
    assert table["rank"].tolist() == table["rank_popular"].tolist() == [1, 2] * 3


@pytest.mark.parametrize(
    ("counts", "least"),
    [
        ([100] * 21 + [1] * 500, 50),
        ([100] * 20 + [40] * 10, 20),  # 20 are no neighbours for one of them
        ([100] * 30 + [30] * 100 + [1] * 99, 20),  # half of the ratings are those of 50
        ([100] * 30 + [30] * 10, 50),
        ([9] * 10, 1),
        ([0] * 5 + [6] * 21, 5),
    ],
)
def test_what_is_popular_depends_on_what_there_is(counts: list[int], least: int) -> None:
    assert popular_from(counts) == least
