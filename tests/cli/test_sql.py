"""`collab sql`: tables, CSV, JSON, Parquet, and mistakes."""

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from tests.typed import Capture, error, out


@pytest.mark.usefixtures("data_dir")
class TestSql:
    QUERY = (
        "SELECT movie_id, title, genres, NULL AS nothing "
        "FROM movies WHERE movie_id IN (3, 4) ORDER BY 1"
    )

    def test_a_table(self, capsys: Capture) -> None:
        printed = out(capsys, "sql", self.QUERY)
        assert "│        3 │ Amélie of Montmartre (2001)" in printed

    def test_csv(self, capsys: Capture) -> None:
        rows = list(csv.reader(io.StringIO(out(capsys, "sql", "--csv", self.QUERY))))
        assert rows == [
            ["movie_id", "title", "genres", "nothing"],
            ["3", "Amélie of Montmartre (2001)", '["Drama", "War"]', ""],
            ["4", "Silence of the Lambs, The (1991)", '["Comedy"]', ""],
        ]

    def test_json(self, capsys: Capture) -> None:
        rows = json.loads(out(capsys, "sql", "--json", self.QUERY))
        assert rows[0] == {
            "movie_id": 3,
            "title": "Amélie of Montmartre (2001)",
            "genres": ["Drama", "War"],
            "nothing": None,
        }
        assert json.loads(out(capsys, "sql", "--json", "FROM movies WHERE false")) == []
        odd = "SELECT 'nan'::FLOAT AS x, DATE '2000-01-02' AS d, 1.5::DECIMAL(4, 2) AS n"
        assert json.loads(out(capsys, "sql", "--json", odd)) == [
            {"x": None, "d": "2000-01-02", "n": 1.5}
        ]

    def test_all_rows_are_written_however_many(self, capsys: Capture) -> None:
        many = "SELECT i FROM range(25000) AS t(i)"
        assert len(out(capsys, "sql", "--csv", many).splitlines()) == 25001
        assert len(json.loads(out(capsys, "sql", "--json", many))) == 25000

    def test_parquet(self, capsys: Capture, tmp_path: Path) -> None:
        target = tmp_path / "mine.parquet"
        out(capsys, "sql", self.QUERY, "--parquet", str(target))
        assert duckdb.read_parquet(str(target)).project("movie_id").fetchall() == [(3,), (4,)]

    def test_parquet_where_it_cannot_be_written(self, capsys: Capture, tmp_path: Path) -> None:
        said = error(capsys, "sql", self.QUERY, "--parquet", str(tmp_path / "no" / "x.parquet"))
        assert "No such file" in said

    @pytest.mark.parametrize("query", ["SELEC 1", "FROM nowhere", "SELECT 1/'x'::INTEGER"])
    @pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
    def test_a_mistake_in_the_query(self, capsys: Capture, query: str, form: list[str]) -> None:
        assert "Traceback" not in error(capsys, "sql", query, *form)

    @pytest.mark.parametrize("query", ["", "-- nothing"])
    def test_no_query(self, capsys: Capture, query: str) -> None:
        assert "The query is empty" in error(capsys, "sql", query)

    @pytest.mark.parametrize("query", ["DROP TABLE movies", "UPDATE movies SET title = ''"])
    def test_nothing_can_be_changed(self, capsys: Capture, query: str) -> None:
        assert "read-only" in error(capsys, "sql", query)
