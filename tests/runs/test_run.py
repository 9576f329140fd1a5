"""Run folders, child processes, devices."""

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from collab.base.errors import CollabError
from collab.base.files import is_whole
from collab.lake import Manifest
from collab.runs import launch
from collab.runs.devices import Slot
from collab.runs.launch import ChildDiedError, run_in_child
from collab.runs.stop import Child
from collab.estimators.recipes import DOT_PRODUCT, DOT_PRODUCT_BIAS_WD
from collab.runs.run import RunSpec, committed_runs, load_run
from collab.dataset.split import random_split
from collab.runs.train import train_run
from tests.archives import N_MOVIES, planted

RECIPE = DOT_PRODUCT_BIAS_WD.but(epochs=2, batch_size=8, lr_max=0.05)
CPU_SLOTS = [Slot(kind="cpu", index=0, threads=1)]


@pytest.fixture
def spec(planted_lake: Manifest, tmp_path: Path) -> RunSpec:
    """A quick run on the planted archive."""
    runs = tmp_path / "runs"
    return RunSpec(lake=planted_lake.path, runs=runs, recipe=RECIPE, seed=1, device="cpu")


def test_a_run_folder_holds_what_a_run_is(spec: RunSpec) -> None:
    epochs: list[int] = []
    assert train_run(spec, on_epoch=lambda epoch: epochs.append(epoch.epoch))
    assert epochs == [1, 2]
    record = load_run(spec.folder).record
    n = len(planted().ratings)
    assert (record["n_valid"], record["n_train"]) == (n // 5, n - n // 5)
    assert record["recipe"] == json.loads(json.dumps(RECIPE.to_json()))
    assert (record["seed"], record["device"], record["edition"]) == (1, "cpu", "ml-100k")
    assert record["versions"]["torch"] == torch.__version__
    assert list(record["stages"]) == ["load", "train", "write"]
    peaks = [stage["peak_memory_mib"] for stage in record["stages"].values()]
    assert 0 < peaks[0] <= peaks[1] <= peaks[2] <= record["peak_memory_mib"]
    seconds = [stage["seconds"] for stage in record["stages"].values()]
    assert sum(seconds) == record["seconds"] > record["train_seconds"] > 0
    weights = load_file(spec.folder / "model.safetensors")
    assert weights["item_factors.weight"].shape == (record["n_items"] + 1, 50)


def test_predictions_are_of_the_validation_rows_and_give_the_errors(spec: RunSpec) -> None:
    train_run(spec)
    table = pd.read_parquet(spec.folder / "predictions.parquet")
    ratings = planted().ratings
    assert table["position"].tolist() == sorted(random_split(len(ratings), 1).valid.tolist())
    expected = [ratings[position][:3] for position in table["position"]]
    assert list(zip(table["user_id"], table["movie_id"], table["rating"], strict=True)) == expected
    mse = float(np.mean((table["prediction"] - table["rating"]) ** 2))
    assert load_run(spec.folder).record["mse"] == pytest.approx(mse, rel=1e-5)
    metrics = pd.read_parquet(spec.folder / "metrics.parquet")
    last = metrics.query("epoch == 2 and split == 'valid' and metric == 'mse'")["value"]
    assert last.tolist() == [load_run(spec.folder).record["mse"]]
    assert set(metrics["metric"]) == {"loss", "seconds", "mse", "rmse", "mae"}


def test_the_vocabulary_is_of_the_training_rows_by_item(spec: RunSpec) -> None:
    train_run(spec)
    words = pd.read_parquet(spec.folder / "vocabulary.parquet")
    ratings = planted().ratings
    seen = {ratings[row][1] for row in random_split(len(ratings), 1).train.tolist()}
    items = words[words["entity"] == "item"]
    assert set(items["id"]) == seen - {N_MOVIES}  # the title of movie 15 under another id
    assert items["idx"].tolist() == list(range(1, len(items) + 1))


def test_unknown_rows_are_counted_not_dropped(spec: RunSpec) -> None:
    rare = replace(spec, valid_pct=0.97)
    train_run(rare)
    record = load_run(rare.folder).record
    table = pd.read_parquet(rare.folder / "predictions.parquet")
    assert len(table) == record["n_valid"] == int(0.97 * len(planted().ratings))
    assert record["unknown_user_rows"] == (~table["user_known"]).sum() > 0
    assert record["unknown_item_rows"] == (~table["item_known"]).sum()
    assert np.isfinite(table["prediction"]).all()


def test_the_same_spec_is_trained_once_and_again_the_same_bits(spec: RunSpec) -> None:
    assert train_run(spec)
    first = load_file(spec.folder / "model.safetensors")
    assert not train_run(spec)
    assert train_run(spec, force=True)
    again = load_file(spec.folder / "model.safetensors")
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_what_a_run_depends_on_is_in_its_key(
    spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = [
        replace(spec, seed=2),
        replace(spec, device="cuda"),
        replace(spec, valid_pct=0.1),
        replace(spec, recipe=RECIPE.but(wd=0.2)),
    ]
    assert len({spec.key, *(other.key for other in changed)}) == 5
    key = spec.key
    monkeypatch.setattr("collab.runs.run.code_digest", lambda *names: "changed code")
    assert spec.key != key


def test_a_spec_survives_json(spec: RunSpec) -> None:
    again = RunSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert (again.key, again.folder) == (spec.key, spec.folder)


def test_a_child_trains_the_same_as_this_process(spec: RunSpec, tmp_path: Path) -> None:
    run, trained = run_in_child(spec, CPU_SLOTS)
    assert trained
    assert run_in_child(spec, CPU_SLOTS) == (run, False)
    here = replace(spec, runs=tmp_path / "here")
    train_run(here)
    pair = [load_file(folder / "model.safetensors") for folder in (spec.folder, here.folder)]
    assert all(torch.equal(pair[0][name], pair[1][name]) for name in pair[0])
    assert [r.run_id for r in committed_runs(spec.runs)] == [spec.run_id]


def test_a_childs_reason_is_the_users_error(spec: RunSpec) -> None:
    hot = replace(spec, recipe=DOT_PRODUCT.but(lr_max=1e20, batch_size=8))
    with pytest.raises(CollabError, match="loss became"):
        run_in_child(hot, CPU_SLOTS)
    assert not hot.folder.exists()


def test_a_killed_child_is_reported_and_leaves_nothing(
    spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_and_kill(slot: Slot, channel: int) -> Child:
        child = start(slot, channel)
        threading.Timer(1.0, lambda: os.kill(child.pid, signal.SIGKILL)).start()
        return child

    start = launch.start_child
    monkeypatch.setattr(launch, "start_child", start_and_kill)
    with pytest.raises(ChildDiedError, match="signal 9"):
        run_in_child(replace(spec, recipe=RECIPE.but(epochs=100_000)), CPU_SLOTS)
    monkeypatch.setattr(launch, "start_child", start)
    run, _ = run_in_child(spec, CPU_SLOTS)
    assert is_whole(run.folder)
