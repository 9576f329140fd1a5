"""Checks: SQL whose rows are failures, with a name and a severity."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

import duckdb

Severity = Literal["error", "warning"]
ROWS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Check:
    """A query whose rows are failures; no row means passed.

    screen: a cheaper query that has rows where the other has; the other is run only then.
    """

    name: str
    severity: Severity
    sql: str
    screen: str | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a check found: how many rows failed, and the first of them as JSON."""

    name: str
    severity: Severity
    failures: int
    first_rows: str

    @property
    def passed(self) -> bool:
        """Whether no row failed."""
        return self.failures == 0


def run_check(con: duckdb.DuckDBPyConnection, check: Check) -> CheckResult:
    """Run one check: count its rows and keep the first few."""
    if check.screen and not con.execute(f"FROM ({check.screen}) LIMIT 1").fetchall():
        return passed(check)
    count, rows = con.execute(
        f"SELECT count(*), coalesce(to_json(list(f) [:$shown]), '[]') FROM ({check.sql}) AS f",
        {"shown": ROWS_SHOWN},
    ).fetchall()[0]
    return CheckResult(
        name=check.name, severity=check.severity, failures=count, first_rows=str(rows)
    )


def passed(check: Check) -> CheckResult:
    """The result of a check that found nothing."""
    return CheckResult(name=check.name, severity=check.severity, failures=0, first_rows="[]")


def describe(result: CheckResult) -> str:
    """A failed check on one line."""
    row = json.loads(result.first_rows)[:1]
    shown = ", ".join(f"{k}={v!r}" for k, v in row[0].items()) if row else ""
    return f"{result.name}: {result.failures} failing, first: {shown}"


def as_records(results: list[CheckResult]) -> list[dict[str, Any]]:
    """Results as plain records for JSON and tables."""
    return [{**asdict(result), "passed": result.passed} for result in results]
