"""The flows beside the pipeline: the same stages, so the same tables; and editions side by side."""

from pathlib import Path
from typing import Any

import pytest

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.cli import main as collab
from collab.lake import find_manifest
from collab.movielens.editions import ML_10M
from flows import declared
from flows.ingest import ingest
from flows.pipeline import pipeline
from flows.publish import publish
from flows.train import train
from flows.undeclared import released_runs
from tasks import events
from tests.archives import planted, write_archive
from tests.flows.running import run
from tests.published import query, tables

pytestmark = pytest.mark.usefixtures("prefect", "here")

VARIANTS = ["als", "dot_product_bias_wd", "embedding_nn"]


def test_ingest_train_and_publish_give_what_the_pipeline_gives(
    planted_zip: Path,
    data: DataDir,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(events, "emit_event", lambda **event: told.append(event))
    options = ("--variants", ",".join(VARIANTS), "--splits", "42,1")
    assert run(planted_zip, data, *options) == 0
    told.clear()

    alone = DataDir(tmp_path / "alone")
    ingest(archive=str(planted_zip), data_dir=str(alone.root), trust_archive=True)
    runs = train(
        data_dir=str(alone.root), variants=VARIANTS, epochs=1, splits=[42, 1], device="cpu"
    )
    given: dict[str, Any] = {"run_ids": [run.run_id for run in runs], "data_dir": str(alone.root)}
    with pytest.raises(CollabError, match="not the declared set of ml-100k: without dot_product,"):
        publish(**given, device="cpu")
    assert not alone.serve.exists()
    publish(**given, device="cpu", override=True)
    assert collab(["--data-dir", str(alone.root), "status"]) == 0
    assert "by an override, not the declared set: without dot_product," in capsys.readouterr().out
    assert [event["event"] for event in told] == [events.RATINGS_COMMITTED, events.TABLES_PUBLISHED]

    expected = tables(data)
    assert len(expected["standings"]) == len(VARIANTS)
    assert tables(alone) == expected


def test_a_release_is_told_and_published(
    planted_zip: Path, data: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is declared of an edition, and nothing else, goes on to `publish` by itself."""
    file = tmp_path / "releases.toml"
    file.write_text(
        '[default]\nvariants = ["fast"]\nsplits = [42, 1]\nseed = 5\nminutes = 1\n'
        '[ml-100k]\nvariants = ["als", "bias_only"]\n'
    )
    monkeypatch.setattr(declared, "FILE", file)
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(events, "emit_event", lambda **event: told.append(event))
    ingest(archive=str(planted_zip), data_dir=str(data.root), trust_archive=True)
    given: dict[str, Any] = {"data_dir": str(data.root), "device": "cpu"}
    with pytest.raises(CollabError, match="with embedding_nn besides; seed 7 instead of 5"):
        train(**given, variants=["als", "bias_only", "embedding_nn"], seed=7, release=True)
    with pytest.raises(CollabError, match="an item is a movie instead of a title"):
        pipeline(**given, item_key="movie", override=False)
    assert not data.runs.exists()
    train(**given, release=True)
    assert [event["event"] for event in told] == [events.RATINGS_COMMITTED, events.RUNS_COMMITTED]
    payload = told[-1]["payload"]
    passed_on = ("edition", "fingerprint", "run_ids", "left_out", "data_dir")  # by prefect.yaml
    publish(**{name: payload[name] for name in passed_on}, device="cpu")
    assert query(data, "SELECT undeclared, len(chosen_on) FROM publish_info") == [([], 2)]
    assert query(data, "SELECT DISTINCT seed FROM leaderboard") == [(5,)]
    train(**given, seed=7)  # newer, and passed over by what is published by hand
    by_hand = released_runs(data.runs, find_manifest(data, "ml-100k"))
    assert [run.run_id for run in by_hand] == payload["run_ids"]


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
