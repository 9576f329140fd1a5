"""What each run of the leaderboard learnt, as it is published."""

import duckdb
import numpy as np
import pytest
from safetensors.torch import load_file

from collab.release import room
from collab.release.interpret import components
from tests.release.planted import N_MOVIES, Published, ask


@pytest.fixture(scope="module")
def weights(published: Published) -> dict[str, np.ndarray]:
    """What the run with factors saved, without the unknown."""
    found = load_file(published.runs[0].folder / "model.safetensors")
    return {name: table.numpy()[1:] for name, table in found.items()}


def test_biases_and_factors_are_the_runs_own(
    con: duckdb.DuckDBPyConnection, published: Published, weights: dict[str, np.ndarray]
) -> None:
    run = published.runs[0]
    for table in ("run_bias", "run_factors", "run_pca", "run_components"):
        assert ask(con, f"SELECT DISTINCT run_id, variant FROM {table}") == [
            (run.run_id, run.record.variant)
        ], "the network has none"
    found = np.array(ask(con, "SELECT bias FROM run_bias ORDER BY item_id")).ravel()
    moved = found - weights["item_bias"].ravel()
    assert moved == pytest.approx(np.full_like(moved, moved[0]), abs=1e-6), "centred alone"
    rows = ask(con, "SELECT factors FROM run_factors ORDER BY item_id")
    assert np.array_equal(np.array([row for (row,) in rows], np.float32), weights["item_factors"])


def test_components_are_those_of_the_factors(
    con: duckdb.DuckDBPyConnection, weights: dict[str, np.ndarray]
) -> None:
    scores, shares = components(weights["item_factors"])
    found = np.array(ask(con, "SELECT pc1, pc2, pc3 FROM run_pca ORDER BY item_id"))
    # the items stand in another order there, and a component may be turned round by rounding
    assert np.abs(found) == pytest.approx(np.abs(scores), abs=1e-4)
    told = ask(con, "SELECT share FROM run_components ORDER BY component")
    assert [share for (share,) in told] == pytest.approx(shares.tolist())


def test_similar_in_is_the_cosine_of_the_factors(
    con: duckdb.DuckDBPyConnection, published: Published, weights: dict[str, np.ndarray]
) -> None:
    units = weights["item_factors"] / np.linalg.norm(weights["item_factors"], axis=1)[:, None]
    cosines = units @ units[8]  # of movie 9, in the order of ids
    cosines[8] = -2
    for run in (published.runs[0].run_id, published.runs[0].record.variant):
        found = con.execute(
            "SELECT rank, neighbor_id, cosine FROM similar_in($run, 9, k := 5, min_ratings := 0)",
            {"run": run},
        ).fetchall()
        assert [rank for rank, _, _ in found] == [1, 2, 3, 4, 5]
        assert [cosine for *_, cosine in found] == pytest.approx(sorted(cosines)[:-6:-1], abs=1e-6)
        for _, neighbor, cosine in found:
            assert cosine == pytest.approx(cosines[neighbor - 1], abs=1e-6)
    assert ask(con, "FROM similar_in('embedding_nn', 9)") == []


def test_similar_in_leaves_out_what_few_have_rated(con: duckdb.DuckDBPyConnection) -> None:
    name = "'dot_product_bias_wd', 'war of the worlds'"
    every = ask(con, f"SELECT title FROM similar_in({name}, k := 99, min_ratings := 0)")
    assert len(every) == 2 * (N_MOVIES - 1)
    assert ask(con, f"FROM similar_in({name})") == [], "nothing has 50 ratings"


def test_too_many_factors_are_left_out_and_named(
    mine: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FACTOR_ROWS", N_MOVIES - 1)
    snapshot, made = mine.publish(force=True)
    assert made
    (reason,) = snapshot.record.left_out
    assert reason.startswith("the table run_factors: 30 rows, 29 are allowed")
    with duckdb.connect(snapshot.database, read_only=True) as con:
        assert ask(con, "FROM run_factors") == []
        assert len(ask(con, "FROM run_bias")) == N_MOVIES


def test_numbers_that_are_none_are_in_no_table(
    mine: Published, caplog: pytest.LogCaptureFixture
) -> None:
    broken = mine.train("dot_product_bias")
    weights = broken.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + np.float32("nan").tobytes())
    mine.publish([*mine.runs, broken], force=True)
    assert "dot_product_bias is in no table of factors" in caplog.text
