"""What is published of a champion that knows how sure it is."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from collab.base.paths import DataDir
from collab.dataset.protocols import Protocol
from collab.estimators.bayes import BayesianMF
from collab.estimators.recipes import RECIPES
from collab.release.snapshot import Snapshot
from collab.report import publish_report
from tests.release.planted import Published, ask, take_in

SMALL = replace(
    RECIPES["bayesian_mf"],
    estimator=BayesianMF(n_factors=3, sweeps=60, burn_in=20, thin=2, columns=16),
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A publication of a short chain on the planted ratings, and its report."""
    data = DataDir(tmp_path_factory.mktemp("sure") / "data")
    planted = Published(data=data, lake=take_in(data), runs=[], confirmations=[])
    planted.runs.append(planted.train_recipe(SMALL, 1, Protocol()))
    made, _ = planted.publish()
    publish_report(made)
    return made


@pytest.fixture
def con(snapshot: Snapshot) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(snapshot.database, read_only=True) as opened:
        yield opened


def test_every_bias_has_an_interval_around_it(con: duckdb.DuckDBPyConnection) -> None:
    for table in ("movie_bias", "user_bias"):
        ((n, inside),) = ask(
            con,
            f"SELECT count(*), count(*) FILTER (sd > 0 AND low < bias AND bias < high "
            f"AND p_top50 BETWEEN 0 AND 1 AND p_bottom50 BETWEEN 0 AND 1) FROM {table}",
        )
        assert n == inside > 0, table


def test_neighbours_are_ordered_by_the_posterior_and_share_parity(
    con: duckdb.DuckDBPyConnection,
) -> None:
    ((same, n, sure),) = ask(
        con,
        "SELECT count(*) FILTER (item_id % 2 = neighbor_id % 2), count(*), "
        "count(*) FILTER (sd > 0 AND share > 0) FROM movie_neighbors "
        "WHERE rank <= 5 AND item_id <> 8 AND neighbor_id <> 8",
    )
    assert same / n > 0.9
    assert sure == n
    falls = "SELECT similarity >= lead(similarity) OVER (PARTITION BY item_id ORDER BY rank) AS f"
    assert ask(con, f"SELECT bool_and(f) FROM ({falls} FROM movie_similarity)") == [(True,)]


def test_components_say_how_much_they_explain(con: duckdb.DuckDBPyConnection) -> None:
    shares = [share for (share,) in ask(con, "SELECT share FROM pca_components ORDER BY component")]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001
    assert shares[0] > 0.5  # one direction is planted


def test_predictions_and_recommendations_have_a_spread(con: duckdb.DuckDBPyConnection) -> None:
    ((n, sure),) = ask(con, "SELECT count(*), count(*) FILTER (sd > 0) FROM predictions")
    assert n == sure > 0
    ((n, lower),) = ask(
        con,
        "SELECT count(*), count(*) FILTER (abs(prediction - 1.2816 * sd - cautious) < 1e-4) "
        "FROM recommendations",
    )
    assert n == lower > 0


def test_coverage_rises_with_the_level(con: duckdb.DuckDBPyConnection) -> None:
    rows = ask(con, "SELECT level, covered, n FROM interval_coverage ORDER BY level")
    assert [level for level, _, _ in rows] == [0.5, 0.8, 0.9, 0.95]
    covered = [part for _, part, _ in rows]
    assert covered == sorted(covered)
    assert covered[-1] > 0.8


def test_probabilities_of_ratings_are_those_of_all_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Each row gives every rating a probability; together they are as many as rows."""
    found = ask(
        con,
        "SELECT sum(n * probability), sum(n * observed), max(abs(observed - probability)), "
        "count(DISTINCT run_id) FROM class_reliability",
    )
    ((n,),) = ask(con, "SELECT count(*) FROM predictions")
    ((told, given, _, runs),) = found
    assert told == pytest.approx(n)
    assert given == pytest.approx(n)
    assert runs == 1


def test_the_factors_explain_the_predictions(con: duckdb.DuckDBPyConnection) -> None:
    assert ask(con, "SELECT bool_and(supplies_tables) FROM runs") == [(True,)]


def test_the_report_says_how_sure_it_is(snapshot: Snapshot) -> None:
    page = Path(snapshot.folder / "report.html").read_text(encoding="utf-8")
    assert "95 % interval around their prediction" in page
    assert "averaged over everything the model may be" in page
    assert "How likely each rating was said to be" in page
    assert page.count('<b title="95 % interval ') == 20  # of the highest and the lowest biases
