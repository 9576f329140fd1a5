"""What a flow run's page shows of checks and runs."""

from typing import Any

from collab.report.curves import learning_curves
from tasks.artifacts import check_rows
from tests.release.planted import Published


def check(name: str, severity: str, failures: int) -> dict[str, Any]:
    """The record of a check."""
    return {"name": name, "severity": severity, "passed": not failures, "failures": failures,
            "first_rows": "[]"}  # fmt: skip


def test_what_failed_comes_first_and_only_that_is_severe() -> None:
    rows = check_rows([
        check("good", "error", 0),
        check("odd", "warning", 2),
        check("fine", "warning", 0),
        check("bad", "error", 1),
    ])  # fmt: skip
    assert [(row["name"], row["result"]) for row in rows] == [
        ("bad", "error"),
        ("odd", "warning"),
        ("good", "passed"),
        ("fine", "passed"),
    ]
    assert list(rows[0]) == ["result", "name", "failures", "first_rows"]


def test_each_run_has_a_panel_of_its_own(published: Published) -> None:
    svg = learning_curves(published.runs)
    for run in published.runs:
        assert f"{run.record.variant} {run.record.mse:.4f}" in svg
