"""What the page holds to predict for someone new: right, compact, and absent where it must be."""

import base64
from pathlib import Path

import duckdb
import numpy as np
import pytest

from collab.report import newcomer
from collab.report.page import render
from tests.release.planted import Published
from tests.release.planted_database import insert_newcomer, write_database


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_database(tmp_path_factory.mktemp("newcomer") / "planted.duckdb")


def test_products_of_the_rows_are_those_under_the_prior(database: Path) -> None:
    ids = [7, 3, 50, 12]
    with duckdb.connect(database, read_only=True) as con:
        found = newcomer.newcomer(con, ids)
        prior = con.execute("SELECT prior_mean, prior_covariance FROM newcomer").fetchone()
        items = con.execute(
            "SELECT factors, bias FROM movie_factors JOIN movie_bias USING (item_id) "
            "WHERE item_id IN (7, 3, 50, 12) ORDER BY list_position([7, 3, 50, 12], item_id)"
        ).fetchall()
    assert found
    assert prior
    x = np.column_stack([np.array([factors for factors, _ in items]), np.ones(4)])
    whole = np.frombuffer(base64.b64decode(found["rows"]), dtype="<i2").reshape(4, -1)
    rows = whole * np.array(found["scale"])
    assert rows @ rows.T == pytest.approx(x @ np.array(prior[1]) @ x.T, abs=2e-4)
    start = 3.5 + np.array([bias for _, bias in items]) + x @ np.array(prior[0])
    assert found["start"] == pytest.approx(start, abs=1e-5)
    assert (found["low"], found["high"]) == (1.0, 5.0)
    assert found["starters"] == [1, 0, 3], "3 and 7, then 12; 50 is not asked about"


def test_it_is_the_most_rated_that_fit(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomer, "BYTES", 1_000)  # 750 bytes are 53 rows of 7 columns of 2
    with duckdb.connect(database, read_only=True) as con:
        found = newcomer.newcomer(con, list(range(1, 81)))
    assert found
    assert len(found["start"]) == 53
    assert len(found["rows"]) <= 1_000


def test_the_panel_is_left_out_where_the_champion_takes_in_nobody(tmp_path: Path) -> None:
    database = write_database(tmp_path / "x.duckdb")
    with duckdb.connect(database) as con:
        for table in ("newcomer", "starter_movies"):
            con.execute(f"DELETE FROM {table}")
    page = render(database)
    assert "Try it yourself" not in page
    assert 'id="newcomer"' not in page
    assert "newcomer.recommend" not in page


def test_it_is_left_out_of_a_real_publication_of_a_trained_network(published: Published) -> None:
    page = (published.serve / "report.html").read_text(encoding="utf-8")
    assert "Try it yourself" not in page
    assert "you might like" not in page


def test_wide_rows_keep_to_their_share_of_the_page(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "wide.duckdb") as con:
        con.execute("CREATE TABLE ratings AS SELECT 1 AS rating UNION ALL SELECT 5")
        con.execute("CREATE TABLE publish_info (mean FLOAT, clip_low FLOAT, clip_high FLOAT)")
        con.execute("INSERT INTO publish_info (mean) VALUES (3)")
        con.execute("CREATE TABLE movie_bias (item_id INTEGER, bias FLOAT, sd FLOAT)")
        con.execute("INSERT INTO movie_bias (item_id, bias) SELECT m, 0.1 FROM range(3000) AS t(m)")
        insert_newcomer(con, range(3000), factors=96)
        found = newcomer.newcomer(con, list(range(3000)))
    assert found
    assert 1_000 <= len(found["start"]) <= newcomer.MOVIES
    assert 0.99 * newcomer.BYTES < len(found["rows"]) <= newcomer.BYTES
    assert (found["low"], found["high"]) == (1, 5)
