"""Two runs of a publication side by side."""

from dataclasses import dataclass, fields

import duckdb

from collab.base.errors import unknown_name


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure of two runs, as `compare_runs` gives it.

    low, high: the 95 % interval of `b_minus_a`; None but for `judged_mse`.
    reason: why `judged_mse` has none.
    """

    measure: str
    a: float | None
    b: float | None
    b_minus_a: float | None
    low: float | None
    high: float | None
    reason: str | None


def compare_runs(con: duckdb.DuckDBPyConnection, a: str, b: str) -> list[Measure]:
    """Two runs side by side; the error on rows that both were judged on comes first.

    Args:
        con: a publication, as `collab.connect` opens it.
        a, b: each a `run_id` or, of a run of the leaderboard, its variant.

    Raises:
        CollabError: there is no such run; names the nearest.
    """
    for name in (a, b):
        require_run(con, name)
    names = [field.name for field in fields(Measure)]
    query = f"SELECT {', '.join(names)} FROM compare_runs($a, $b)"  # noqa: S608
    rows = con.execute(query, {"a": a, "b": b}).fetchall()
    return [Measure(**dict(zip(names, row, strict=True))) for row in rows]


def require_run(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Refuse what is neither a run nor a variant of the leaderboard."""
    runs = con.execute("SELECT variant, run_id, is_current FROM runs ORDER BY ALL").fetchall()
    variants = [variant for variant, _, current in runs if current]
    if name not in variants and name not in {run_id for _, run_id, _ in runs}:
        raise unknown_name("run", name, variants)
