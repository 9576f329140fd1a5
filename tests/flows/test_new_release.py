"""Three nights of an edition that changes: what `ingest` finds is trained on and published."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collab.base.paths import DataDir
from collab.movielens.editions import ML_LATEST, Edition
from flows import declared
from flows.ingest import ingest
from flows.publish import publish
from flows.train import train
from tasks import events
from tests.archives import Planted, planted, write_archive
from tests.movielens.mirror import Mirror, serving
from tests.published import query

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect", "here")]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror of our own; GroupLens is not asked."""
    (tmp_path / "mirror").mkdir()
    with serving(tmp_path / "mirror") as mirror:
        monkeypatch.setenv("MOVIELENS_MIRROR", mirror.url)
        monkeypatch.setattr(Edition, "url", f"{mirror.url}/gone.zip")
        yield mirror


def night(data: DataDir, told: list[dict[str, Any]]) -> list[str]:
    """What the deployments do by their events; returns those that were told."""
    told.clear()
    given: dict[str, Any] = {"edition": "ml-latest", "data_dir": str(data.root)}
    ingest(**given)
    if told:
        train(**given, fingerprint=told[0]["payload"]["fingerprint"], release=True, device="cpu")
        payload = told[1]["payload"]
        names = ("edition", "fingerprint", "run_ids", "left_out", "data_dir")
        publish(**{name: payload[name] for name in names}, device="cpu")
    return [event["event"] for event in told]


def test_train_and_publish_follow_a_new_release(
    mirror: Mirror, data: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "releases.toml"
    file.write_text(
        '[default]\nvariants = ["als", "bias_only"]\nsplits = [42]\nseed = 42\nminutes = 1\n'
    )
    monkeypatch.setattr(declared, "FILE", file)
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(events, "emit_event", lambda **event: told.append(event))
    chain = [events.RATINGS_COMMITTED, events.RUNS_COMMITTED, events.TABLES_PUBLISHED]
    rows = planted()
    mirror.release(write_archive(tmp_path / "1.zip", ML_LATEST, rows), ML_LATEST.file_name)
    assert night(data, told) == chain
    assert night(data, told) == [], "the same release"
    fewer = Planted(rows.ratings[:-1], rows.movies)
    mirror.release(write_archive(tmp_path / "2.zip", ML_LATEST, fewer), ML_LATEST.file_name)
    assert night(data, told) == chain
    counted = "SELECT edition, (SELECT count(*) FROM ratings) FROM publish_info"
    assert query(data, counted) == [("ml-latest", len(rows.ratings) - 1)]
    shutil.rmtree(mirror.folder)
    assert night(data, told) == [], "nobody answers"
