"""One run: its folder, its key, and the same from a child process."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from collab.base.errors import CollabError
from collab.base.fingerprint import CodeChangedError
from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe
from collab.estimators.bayes import BayesianMF
from collab.estimators.recipes import RECIPES
from collab.estimators.sgd.estimator import Sgd
from collab.lake import Manifest
from collab.release.remembered import all_runs
from collab.runs import child
from collab.runs.devices import Slot
from collab.runs.launch import run_in_child
from collab.runs.record import load_run
from collab.runs.spec import RunSpec
from collab.runs.train import Progress, train_run
from tests.archives import planted
from tests.estimators.support import CHAPTER, quick

SGD = CHAPTER["dot_product_bias_wd"].but(epochs=2, batch_size=8, lr_max=0.05)
RECIPE = Recipe(name="dot_product_bias_wd", estimator=SGD)
CPU_SLOTS = [Slot(kind="cpu", index=0, threads=1)]
N = len(planted().ratings)


@pytest.fixture
def spec(planted_dataset: Dataset, tmp_path: Path) -> RunSpec:
    """A quick run on the planted archive."""
    return RunSpec(
        dataset=planted_dataset.path,
        runs=tmp_path / "runs",
        recipe=RECIPE,
        seed=1,
        device="cpu",
    )


def on(spec: RunSpec, sgd: Sgd) -> RunSpec:
    """The same run with other settings."""
    return replace(spec, recipe=replace(RECIPE, estimator=sgd))


def test_a_run_folder_holds_what_a_run_is(spec: RunSpec) -> None:
    passes: list[Progress] = []
    assert train_run(spec, on_pass=passes.append)
    assert [(progress.number, progress.passes) for progress in passes] == [(1, 2), (2, 2)]
    record = load_run(spec.folder).record
    assert (record.n_valid, record.n_train) == (N // 5, N - N // 5)
    assert record.recipe == json.loads(json.dumps(RECIPE.to_json()))
    assert (record.seed, record.device, record.edition) == (1, "cpu", "ml-100k")
    assert (record.dataset, record.dataset_key) == (spec.rows.name, spec.rows.key)
    assert (record.protocol, record.as_of, record.passes) == (Protocol(split_seed=1), None, 2)
    assert record.versions["torch"] == torch.__version__
    assert list(record.stages) == ["load", "train", "rank", "write"]
    peaks = [stage["peak_memory_mib"] for stage in record.stages.values()]
    assert 0 < peaks[0] <= peaks[1] <= peaks[2] <= record.peak_memory_mib
    seconds = [stage["seconds"] for stage in record.stages.values()]
    assert sum(seconds) == record.seconds > record.train_seconds > 0
    weights = load_file(spec.folder / "model.safetensors")
    assert weights["item_factors"].shape == (record.n_items + 1, 50)
    assert record.n_parameters == sum(table.numel() for table in weights.values())


def test_predictions_are_of_the_validation_rows_and_give_the_errors(spec: RunSpec) -> None:
    train_run(spec)
    table = pd.read_parquet(spec.folder / "predictions.parquet")
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1)).tolist()
    assert table["position"].tolist() == sorted(order[: N // 5])
    expected = [planted().ratings[position][:3] for position in table["position"]]
    assert list(zip(table["user_id"], table["movie_id"], table["rating"], strict=True)) == expected
    record = load_run(spec.folder).record
    mse = float(np.mean((table["prediction"] - table["rating"]) ** 2))
    assert record.mse == pytest.approx(mse, rel=1e-5)
    assert table["repeated"].sum() == record.repeated_rows > 0
    metrics = pd.read_parquet(spec.folder / "metrics.parquet")
    last = metrics.query("epoch == 2 and split == 'valid' and metric == 'mse'")["value"]
    assert last.tolist() == [record.mse]
    ranked = {"ndcg@10", "recall@10", "coverage@10", "ranked_users"}
    assert set(metrics["metric"]) == {"loss", "seconds", "mse", "rmse", "mae", *ranked}


def test_unknown_rows_are_counted_not_dropped(
    spec: RunSpec, planted_lake: Manifest, data: DataDir
) -> None:
    dataset, _ = make_dataset(planted_lake, Protocol(split_seed=1, share=0.97), data)
    rare = replace(spec, dataset=dataset.path)
    train_run(rare)
    record = load_run(rare.folder).record
    table = pd.read_parquet(rare.folder / "predictions.parquet")
    assert len(table) == record.n_valid == int(0.97 * N)
    assert record.unknown_user_rows == (~table["user_known"]).sum() > 0
    assert record.unknown_item_rows == (~table["item_known"]).sum()
    assert np.isfinite(table["prediction"]).all()
    squared = (table["prediction"] - table["rating"]).astype(float) ** 2
    warm = table["user_known"] & table["item_known"]
    assert record.warm_mse == pytest.approx(squared[warm].mean(), rel=1e-5)
    assert record.cold_mse == pytest.approx(squared[~warm].mean(), rel=1e-5)


def test_a_run_on_all_ratings_has_no_errors(
    spec: RunSpec, planted_lake: Manifest, data: DataDir
) -> None:
    dataset, _ = make_dataset(planted_lake, Protocol(name="all"), data)
    whole = replace(spec, dataset=dataset.path)
    train_run(whole)
    record = load_run(whole.folder).record
    assert (record.n_train, record.n_valid) == (N, 0)
    assert (record.mse, record.rmse, record.mae, record.warm_mse, record.cold_mse) == (None,) * 5
    assert record.supplies_tables  # the gap is measured on the training rows
    assert len(pd.read_parquet(whole.folder / "predictions.parquet")) == 0
    metrics = pd.read_parquet(whole.folder / "metrics.parquet")
    assert set(metrics["metric"]) == {"loss", "seconds"}


@pytest.mark.parametrize("name", ["als", "bias_only", "collab_nn"])
def test_every_kind_of_estimator_gives_a_run(spec: RunSpec, name: str) -> None:
    estimator = quick(RECIPES[name].estimator)
    other = replace(spec, recipe=Recipe(name=name, estimator=estimator))
    train_run(other)
    run = load_run(other.folder)
    assert run.recipe.estimator == estimator
    assert run.record.passes == estimator.passes
    assert run.record.supplies_tables == (name == "als")
    predicted = pd.read_parquet(other.folder / "predictions.parquet")["prediction"]
    loaded = estimator.load(other.folder).predict(spec.rows.valid())
    np.testing.assert_allclose(loaded.numpy(), predicted.to_numpy(), rtol=0, atol=1e-5)


def test_the_same_spec_is_trained_once_and_again_the_same_bits(spec: RunSpec) -> None:
    assert train_run(spec)
    first = load_file(spec.folder / "model.safetensors")
    assert not train_run(spec)
    assert train_run(spec, force=True)
    again = load_file(spec.folder / "model.safetensors")
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_seed_of_training_is_not_that_of_the_split(spec: RunSpec) -> None:
    other = replace(spec, seed=2)
    for each in (spec, other):
        train_run(each)
    tables = [pd.read_parquet(each.folder / "predictions.parquet") for each in (spec, other)]
    assert tables[0]["position"].tolist() == tables[1]["position"].tolist()
    assert tables[0]["prediction"].tolist() != tables[1]["prediction"].tolist()


def test_learning_that_diverges_leaves_nothing(spec: RunSpec) -> None:
    hot = on(spec, CHAPTER["dot_product"].but(lr_max=1e20, batch_size=8))
    with pytest.raises(CollabError, match="loss became"):
        train_run(hot)
    assert not hot.folder.exists()


def test_learning_ends_where_the_error_is_above_a_limit(spec: RunSpec) -> None:
    whole = on(spec, SGD.but(epochs=4))
    train_run(whole)
    table = pd.read_parquet(whole.folder / "metrics.parquet")
    errors = table.query("split == 'valid' and metric == 'mse'")["value"].tolist()
    for limits, passes in (
        (((2, errors[1]), (3, errors[2])), 4),
        (((1, errors[0]), (2, errors[1] - 1e-9)), 2),
    ):
        limited = replace(whole, limits=limits)
        assert limited.key != whole.key
        told: list[Progress] = []
        train_run(limited, on_pass=told.append)
        record = load_run(limited.folder).record
        assert [progress.number for progress in told] == list(range(1, passes + 1))
        assert (record.passes, record.mse) == (passes, errors[passes - 1])
        again = RunSpec.from_json(json.loads(json.dumps(limited.to_json())))
        assert (again, again.key) == (limited, limited.key)


def test_an_error_that_is_no_number_is_above_any_limit(spec: RunSpec) -> None:
    limited = replace(spec, limits=((2, 1.0),))
    assert limited.ends_after(2, float("nan"))
    assert not limited.ends_after(1, 9.0)
    assert not limited.ends_after(2, None), "where nothing validates"


def test_a_spec_survives_json(spec: RunSpec) -> None:
    again = RunSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert (again.key, again.folder) == (spec.key, spec.folder)
    assert again == spec


def test_a_child_trains_the_same_as_this_process(spec: RunSpec, tmp_path: Path) -> None:
    run, trained = run_in_child(spec, CPU_SLOTS)
    assert trained
    assert run_in_child(spec, CPU_SLOTS) == (run, False)
    here = replace(spec, runs=tmp_path / "here")
    train_run(here)
    pair = [load_file(folder / "model.safetensors") for folder in (spec.folder, here.folder)]
    assert all(torch.equal(pair[0][name], pair[1][name]) for name in pair[0])
    assert [r.run_id for r in all_runs(DataDir(spec.runs.parent))] == [spec.run_id]


def test_a_child_of_other_code_than_its_parent_commits_nothing(spec: RunSpec) -> None:
    request = {"spec": spec.to_json(), "run_id": "of-the-code-before", "force": False}
    with pytest.raises(CodeChangedError, match="The code changed under this run"):
        child.train(request, lambda event: None)
    assert not spec.runs.exists()


def test_a_run_of_chains_merges_the_runs_of_each_where_they_are(spec: RunSpec) -> None:
    """And samples them itself where they are not: the numbers are the same."""
    short = BayesianMF(n_factors=2, sweeps=12, burn_in=4, thin=4)
    many = replace(spec, recipe=Recipe(name="bayesian_mf", estimator=replace(short, chains=2)))
    parts = many.chains()
    assert [part.seed for part in parts] == [1, 2]
    assert parts[0] == replace(spec, recipe=Recipe(name="bayesian_mf", estimator=short))
    assert train_run(many)
    alone = load_run(many.folder)
    predicted = pd.read_parquet(many.folder / "predictions.parquet")["prediction"].to_numpy()
    for part in parts:
        assert train_run(part)
    assert train_run(many, force=True)
    merged = load_run(many.folder)
    assert (merged.record.passes, alone.record.passes) == (2, 2)
    assert merged.record.n_parameters == 2 * load_run(parts[0].folder).record.n_parameters
    again = pd.read_parquet(many.folder / "predictions.parquet")["prediction"].to_numpy()
    np.testing.assert_allclose(again, predicted, atol=1e-5)
