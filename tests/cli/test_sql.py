"""`collab sql`: tables, CSV, JSON, Parquet, and mistakes."""

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from tests.typed import Capture, cells, error, out


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

    TWICE = "SELECT a.variant, b.variant, 1 AS variant_1 FROM runs a, runs b LIMIT 1"

    def test_columns_of_one_name_are_all_there(self, capsys: Capture, tmp_path: Path) -> None:
        names = ["variant", "variant_1", "variant_1_1"]  # as DuckDB tells them apart
        (row,) = json.loads(out(capsys, "sql", "--json", self.TWICE))
        assert list(row) == names
        assert out(capsys, "sql", "--csv", self.TWICE).splitlines()[0].split(",") == names
        assert out(capsys, "sql", "--md", self.TWICE).startswith(f"| {' | '.join(names)} |\n")
        target = tmp_path / "x.parquet"
        out(capsys, "sql", self.TWICE, "--parquet", str(target))
        assert duckdb.read_parquet(str(target)).columns == names

    def test_from_standard_input(self, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("-- one\nSELECT 1 AS x;\n"))
        assert out(capsys, "sql", "-", "--csv") == "x\n1\n"

    def test_standard_input_that_is_no_text(
        self, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(b"SELECT '\xff'"), encoding="utf-8")
        monkeypatch.setattr("sys.stdin", stdin)
        assert error(capsys, "sql", "-") == "error: Standard input is no text in utf-8.\n"

    def test_several_statements_are_refused(self, capsys: Capture) -> None:
        assert "There are 2 statements" in error(capsys, "sql", "SELECT 1; SELECT 2")

    @pytest.mark.parametrize(
        "query",
        [
            "COPY movies TO '{file}'",
            "EXPLAIN ANALYZE COPY movies TO '{file}'",
            "COPY (PIVOT movies ON item_id USING count(*)) TO '{file}'",
            "ATTACH '{file}' AS mine",
            "CALL enable_logging(storage := 'file', storage_path := '{file}')",
        ],
    )
    def test_no_file_is_written(self, capsys: Capture, query: str, tmp_path: Path) -> None:
        said = error(capsys, "sql", query.format(file=tmp_path / "x"))
        assert "is no query" in said
        assert "--parquet FILE" in said
        assert list(tmp_path.iterdir()) == []

    def test_files_of_ones_own_are_read(self, capsys: Capture, tmp_path: Path) -> None:
        (tmp_path / "mine.csv").write_text("movie_id\n3\n")
        query = f"SELECT movie_id FROM movies SEMI JOIN '{tmp_path}/mine.csv' USING (movie_id)"
        assert out(capsys, "sql", query, "--csv") == "movie_id\n3\n"

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("EXPLAIN FROM movies", "movies"),
            ("PIVOT runs ON variant USING count(*)", "embedding_nn"),
            ("DESCRIBE movies", "VARCHAR[]"),
            ("SHOW TABLES", "movie_bias"),
        ],
    )
    def test_other_queries(self, capsys: Capture, query: str, shown: str) -> None:
        assert shown in out(capsys, "sql", query)

    def test_the_first_hundred_rows_are_shown(self, capsys: Capture) -> None:
        printed = out(capsys, "sql", "FROM range(101)")
        assert len(cells(printed)) == 100
        assert printed.endswith(
            "The first 100 rows; --csv, --json, --md and --parquet FILE give all.\n"
        )

    @pytest.mark.parametrize("query", ["SELEC 1", "FROM nowhere", "SELECT 1/'x'::INTEGER"])
    @pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
    def test_a_mistake_in_the_query(self, capsys: Capture, query: str, form: list[str]) -> None:
        assert "Traceback" not in error(capsys, "sql", query, *form)

    @pytest.mark.parametrize("query", ["", "-- nothing"])
    def test_no_query(self, capsys: Capture, query: str) -> None:
        assert "The query is empty" in error(capsys, "sql", query)

    def test_a_time_stamp_has_its_zone(self, capsys: Capture) -> None:
        query = "SELECT published_at, to_timestamp(60) AS t FROM publish_info"
        (row,) = json.loads(out(capsys, "sql", query, "--json"))
        assert row == {"published_at": "2026-01-02T03:04:00+00:00", "t": "1970-01-01 00:01:00+00"}
        assert cells(out(capsys, "sql", query)) == [
            ["2026-01-02 03:04:00 UTC", "1970-01-01 00:01:00+00"]
        ]

    @pytest.mark.parametrize("query", ["DROP TABLE movies", "UPDATE movies SET title = ''"])
    def test_nothing_can_be_changed(self, capsys: Capture, query: str) -> None:
        assert "read-only" in error(capsys, "sql", query)
