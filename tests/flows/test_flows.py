"""The flows beside the pipeline: the same stages, so the same tables; and editions side by side."""

from pathlib import Path
from typing import Any

import pytest

from collab.base.paths import DataDir
from collab.cli import main as collab
from collab.movielens.editions import ML_10M
from flows.ingest import ingest
from flows.publish import publish
from flows.train import train
from tasks import events
from tests.archives import planted, write_archive
from tests.flows.running import run
from tests.published import query, tables

pytestmark = pytest.mark.usefixtures("prefect", "here")

VARIANTS = ["als", "dot_product_bias_wd", "embedding_nn"]


def test_ingest_train_and_publish_give_what_the_pipeline_gives(
    planted_zip: Path, data: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(events, "emit_event", lambda **event: told.append(event))
    options = ("--variants", ",".join(VARIANTS), "--splits", "42,1")
    assert run(planted_zip, data, *options) == 0
    told.clear()

    alone = DataDir(tmp_path / "alone")
    ingest(archive=str(planted_zip), data_dir=str(alone.root), trust_archive=True)
    train(data_dir=str(alone.root), variants=VARIANTS, epochs=1, splits=[42, 1], device="cpu")
    payload = {event["event"]: event["payload"] for event in told}
    assert list(payload) == [events.RATINGS_COMMITTED, events.RUNS_COMMITTED]
    passed_on = ("edition", "fingerprint", "run_ids", "left_out", "data_dir")  # by prefect.yaml
    given = {name: payload[events.RUNS_COMMITTED][name] for name in passed_on}
    publish(**given, device="cpu")
    assert told[-1]["event"] == events.TABLES_PUBLISHED

    expected = tables(data)
    assert len(expected["standings"]) == len(VARIANTS)
    assert tables(alone) == expected


def test_two_editions_stand_side_by_side(
    planted_zip: Path, tmp_path: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(planted_zip, data, "--variants", "als") == 0
    other = write_archive(tmp_path / "ml-10m.zip", ML_10M)
    assert run(other, data, "--variants", "als", "--edition", "ml-10m") == 0
    for edition in ("ml-100k", "ml-10m"):
        told = query(data, "SELECT edition, n FROM publish_info, (SELECT count(*) AS n "
                     "FROM ratings)", edition)  # fmt: skip
        assert told == [(edition, len(planted().ratings))]
        assert (data.serve / edition / "report.html").exists()
    assert query(data, "SELECT edition FROM publish_info") == [("ml-100k",)]
    place = ["--data-dir", str(data.root)]
    assert collab([*place, "leaderboard"]) == 1
    assert "Several editions are published" in capsys.readouterr().err
    assert collab([*place, "--edition", "ml-10m", "leaderboard"]) == 0
