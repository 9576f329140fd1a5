"""Can the clients of older DuckDB versions use what is served? `python scripts/compat.py`

Makes an environment for each version, opens the served file in it, and runs every view, every
macro, every example query and every macro through ATTACH. Ends with 1 where one fails.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from collab.base.paths import given_path

VERSIONS = ("1.4", "1.5")

# runs under the old client; standard library and duckdb alone
PROBE = """
import sys
import duckdb

path = sys.argv[1]
served = duckdb.connect(path, read_only=True)
attached = duckdb.connect()
attached.execute("ATTACH '" + path.replace("'", "''") + "' AS ml (READ_ONLY)")


def rows(con, sql):
    return con.execute(sql).fetchall()


def names(sql):
    return [name for (name,) in rows(served, sql)]


tables = names("SELECT table_name FROM duckdb_tables() WHERE NOT internal")
views = names("SELECT view_name FROM duckdb_views() WHERE NOT internal")
macros = names("SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal")
examples = names("SELECT sql FROM example_queries")
item, user = rows(served, "SELECT min(item_id), min(user_id) FROM movie_bias, user_bias")[0]
variants = names("SELECT variant FROM leaderboard")
calls = {
    "fold": "SELECT fold('Amélie!')",
    "article_first": "SELECT article_first('Lambs, The (1991)')",
    "fold_title": "SELECT fold_title('Lambs, The (1991)')",
    "title_fit": "SELECT title_fit(fold_title('Lambs, The (1991)'), 'the lambs')",
    "close_titles": "FROM close_titles((SELECT max_by(title, n_ratings) FROM movie_bias_named))",
    "find_movie": "FROM find_movie((SELECT max_by(title, n_ratings) FROM movie_bias_named))",
    "similar_movies": "FROM similar_movies((SELECT min(item_id) FROM movie_bias), k := 5)",
    "recommend": "FROM recommend((SELECT min(user_id) FROM user_bias), k := 5)",
    "matrix_times": "SELECT matrix_times([[1, 2], [3, 4]], [1, 1])",
    "plus_scaled": "SELECT plus_scaled([1, 2], 3, [1, 1])",
    "solve_all": "FROM solve_all([[2.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]], [[2.0, 2.0]])",
    "cut_to": "SELECT cut_to(1, 5, 5.3)",
    "person_of": "FROM person_of([{'item_id': %d, 'stars': 5}])" % item,
    "items_of": "FROM items_of([{'movie': %d, 'stars': 5}])" % item,
    "newcomer_of": "FROM newcomer_of([{'movie': %d, 'stars': 5}])" % item,
    "fold_in": "FROM fold_in([{'movie': %d, 'stars': 5}])" % item,
    "member_of": "FROM member_of((SELECT min(user_id) FROM user_bias))",
    "expected_of": "FROM expected_of((SELECT p FROM member_of(%d) AS p), [%d])" % (user, item),
    "best_of": "FROM best_of((SELECT p FROM member_of(%d) AS p), [%d], 5, NULL, NULL, NULL, 0)"
    % (user, item),
    "recommend_for": "FROM recommend_for([{'movie': %d, 'stars': 5}], k := 5)" % item,
    "predict": "FROM predict(%d, %d)" % (user, item),
    "predict_for": "FROM predict_for([{'movie': %d, 'stars': 5}], %d)" % (item, item),
    "similar_in": "FROM similar_in((SELECT min(run_id) FROM run_factors), "
    "(SELECT min(item_id) FROM movie_bias), min_ratings := 0)",
    "paired_difference": "FROM paired_difference('%s', '%s')" % (variants[0], variants[-1]),
    "compare_runs": "FROM compare_runs('%s', '%s')" % (variants[0], variants[-1]),
}
missing = sorted(set(macros) - set(calls))
assert not missing, "macros without a call in this script: %s" % missing
queries = [("table " + t, "SELECT count(*) FROM " + t) for t in tables]
queries += [("view " + v, "FROM " + v) for v in views]
queries += [("macro " + m, calls[m]) for m in macros]
queries += [("example", sql) for sql in examples]
failed = 0
for how, con in (("opened", served), ("attached", attached)):
    if con is attached:
        con.execute("USE ml")
    for what, sql in queries:
        try:
            if not rows(con, sql):
                raise ValueError("no rows")
        except Exception as error:
            failed += 1
            print("%s, %s: %s" % (how, what, str(error).splitlines()[0]))
print("duckdb %s: %d queries, twice; %d failed" % (duckdb.__version__, len(queries), failed))
sys.exit(failed > 0)
"""


def probe(version: str, database: Path, folder: Path) -> int:
    """Install one version in a folder of its own and run the probe; returns its exit code."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", f"duckdb=={version}.*"]
    subprocess.run(install, check=True)
    return subprocess.run([python, "-c", PROBE, str(database)], check=False).returncode


def main() -> int:
    """Probe every version; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "database",
        nargs="?",
        type=given_path,
        default=Path("data/serve/movielens.duckdb"),
        help="the served file (default: %(default)s)",
    )
    database = parser.parse_args().database
    if not database.exists():
        sys.stderr.write(f"error: there is no {database}; publish with python -m flows.pipeline\n")
        return 1
    codes = []
    for version in VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            codes.append(probe(version, database.resolve(), Path(folder)))
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
