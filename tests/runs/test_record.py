"""Records of runs: typed, with a version; what is of another is left out and said."""

import json
from pathlib import Path
from typing import Any

import pytest

from collab.base.errors import CollabError
from collab.base.files import seal, write_json
from collab.base.paths import DataDir
from collab.dataset.protocols import Protocol
from collab.estimators.recipes import RECIPES
from collab.release.remembered import all_runs
from collab.runs.record import Run, newest_runs, parse_record
from tests.runs.records import SEED_1, record_values, write_run

FINGERPRINT = "f" * 64


def of_commit_b804ab6() -> dict[str, Any]:
    """The shape of a record of the version before datasets, which told no version."""
    kept = ("run_id", "key", "edition", "data_fingerprint", "variant", "seed", "mse", "started_at")
    values = record_values(run_id="ml-100k-dot_product-1", variant="dot_product")
    return {name: values[name] for name in kept} | {
        "recipe": {"name": "dot_product", "model": "collab.models.dot_product:DotProduct"},
        "valid_pct": 0.2,
        "stages": {"load": {"seconds": 1.0, "peak_memory_mib": 100}},
    }


STRANGE: dict[str, Any] = {
    "older": of_commit_b804ab6(),
    "newer": record_values(schema=99, protocol={"name": "leave_one_out", "k": 3}),
    "a field less": {k: v for k, v in record_values().items() if k != "stages"},
    "another protocol": record_values(protocol={**vars(Protocol()), "name": "leave_one_out"}),
    "another field of the protocol": record_values(protocol={"k": 3}),
    "no record": [1, 2],
    "nothing": None,
    "text": "text",
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of runs of an empty data folder."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def recorded_runs(runs: Path) -> list[Run]:
    """All runs of a data folder, the one whose runs these are."""
    return all_runs(DataDir(runs.parent))


def write_strange(runs: Path, text: str) -> None:
    """A whole folder with something else as its record."""
    folder = runs / "ml-100k-strange-1"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(text)
    (folder / "metrics.parquet").touch()
    seal(folder)


def test_a_record_is_read_as_it_was_written() -> None:
    values = record_values()
    record = parse_record(json.loads(json.dumps({**values, "more": 1})))
    assert record.protocol == Protocol()
    assert {name: getattr(record, name) for name in values if name != "protocol"} == {
        name: value for name, value in values.items() if name != "protocol"
    }


@pytest.mark.parametrize("text", [*map(json.dumps, STRANGE.values()), "", "{"])
def test_what_is_of_another_version_is_left_out_and_said(
    runs: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = write_run(runs, "ml-100k-als-1")
    write_strange(runs, text)
    assert recorded_runs(runs) == [run]
    assert newest_runs(runs, FINGERPRINT) == [run]
    assert caplog.text.count("ml-100k-strange-1 is left out") == 2


def test_a_folder_without_a_record_is_left_out(runs: Path) -> None:
    run = write_run(runs, "ml-100k-als-1")
    (runs / "ml-100k-empty").mkdir()
    (runs / ".ml-100k-als-2.tmp-abc").mkdir()
    write_json(runs / ".ml-100k-als-2.tmp-abc" / "run.json", record_values())
    assert recorded_runs(runs) == [run]
    assert recorded_runs(runs / "nowhere" / "runs") == []


def test_a_damaged_run_is_recorded_but_not_published(runs: Path) -> None:
    run = write_run(runs, "ml-100k-als-1")
    (run.folder / "predictions.parquet").unlink()
    assert recorded_runs(runs) == [run]
    with pytest.raises(CollabError, match=r"holds no run on these data\. Run `train` first"):
        newest_runs(runs, FINGERPRINT)


def test_the_recipe_is_the_one_it_was_trained_by(runs: Path) -> None:
    assert write_run(runs, "ml-100k-als-1").recipe == RECIPES["als"]


@pytest.mark.parametrize(
    ("gap", "uses_time", "supplies"),
    [
        (0.0, False, True),
        (1e-3, False, True),
        (1.1e-3, False, False),
        (float("inf"), False, False),
        (None, False, False),
        (0.0, True, False),
    ],
)
def test_what_supplies_tables(gap: float | None, uses_time: bool, supplies: bool) -> None:
    record = parse_record(record_values(factors_gap=gap, uses_time=uses_time))
    assert record.supplies_tables is supplies


def day(number: int) -> str:
    """When a run was started."""
    return f"2026-01-{number:02}T00:00:00+00:00"


def ids(runs: Path, named: list[str] | None = None) -> list[str]:
    """What is to be published."""
    return [run.run_id for run in newest_runs(runs, FINGERPRINT, named)]


def test_the_newest_of_each_variant(runs: Path) -> None:
    write_run(runs, "als-new", started_at=day(3))
    write_run(runs, "als-old", started_at=day(1))
    write_run(runs, "bias", variant="bias_only", started_at=day(2))
    assert sorted(ids(runs)) == ["als-new", "bias"]
    assert ids(runs, ["als-old"]) == ["als-old"]
    with pytest.raises(CollabError, match="holds no run gone on these data"):
        newest_runs(runs, FINGERPRINT, ["als-old", "gone"])
    with pytest.raises(CollabError, match="list of runs to publish is empty"):
        newest_runs(runs, FINGERPRINT, [])


def test_the_split_of_most_variants_comes_first_and_its_kind_follows(runs: Path) -> None:
    other: dict[str, Any] = {"dataset": "ml-100k-random-1-0", "protocol": vars(SEED_1)}
    fold: dict[str, Any] = {"dataset": "ml-100k-u1-0", "protocol": vars(Protocol(name="u1"))}
    write_run(runs, "als-1", started_at=day(1), **other)
    write_run(runs, "als-42", started_at=day(2))
    write_run(runs, "bias-42", variant="bias_only", started_at=day(3))
    write_run(runs, "als-u1", started_at=day(4), **fold)
    assert ids(runs) == ["als-42", "bias-42", "als-1"]


@pytest.mark.parametrize(
    "other",
    [
        {"data_fingerprint": "e" * 64},
        {"as_of": "1998-01-01T23:59:59+00:00"},
        {"errors": [], "protocol": vars(Protocol(name="all"))},
        {"protocol": vars(Protocol(inner=1))},
    ],
    ids=str,
)
def test_what_is_no_candidate(runs: Path, other: dict[str, Any]) -> None:
    write_run(runs, "als", started_at=day(1))
    write_run(runs, "other", started_at=day(2), variant="bias_only", **other)
    assert ids(runs) == ["als"]
