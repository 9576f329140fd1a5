"""Keys: all that a run depends on, and no other code."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collab.base import fingerprint
from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe
from collab.estimators.recipes import RECIPES
from collab.estimators.sgd.estimator import Sgd
from collab.lake import Manifest
from collab.runs import spec as spec_module
from collab.runs.spec import RunSpec, code_of
from tests.estimators.support import CHAPTER

SGD = CHAPTER["dot_product_bias_wd"].but(epochs=2, batch_size=8, lr_max=0.05)
RECIPE = Recipe(name="dot_product_bias_wd", estimator=SGD)


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


def test_what_a_run_depends_on_is_in_its_key(
    spec: RunSpec, planted_lake: Manifest, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenth, _ = make_dataset(planted_lake, Protocol(split_seed=1, share=0.1), data)
    changed = [
        replace(spec, seed=2),
        replace(spec, device="cuda"),
        replace(spec, dataset=tenth.path),
        replace(spec, recipe=replace(RECIPE, name="other")),
        on(spec, SGD.but(wd=0.2)),
        on(spec, SGD.but(gradient="autograd")),
    ]
    assert len({spec.key, *(other.key for other in changed)}) == 7
    key = spec.key
    told = replace(RECIPE, about="in other words", chosen_on="elsewhere")
    assert replace(spec, recipe=told).key == key
    assert replace(spec, runs=Path("elsewhere")).key == key
    monkeypatch.setattr(spec_module, "code_digest", lambda *names: "changed code")
    assert spec.key != key


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the library's code, of which the keys are made."""
    copy = tmp_path / "collab"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(fingerprint.PACKAGE, copy, ignore=ignored)
    for module in (fingerprint, spec_module):
        monkeypatch.setattr(module, "PACKAGE", copy)
    # each change is an upgrade, after which a new process is started
    monkeypatch.setattr(fingerprint, "refuse_changed_code", lambda: None)
    return copy


def change(path: Path, old: str, new: str) -> None:
    """Change a file of the library."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def a_new_estimator(library: Path) -> None:
    (library / "estimators" / "knn.py").write_text("class Knn:\n    pass\n")


def a_new_recipe(library: Path) -> None:
    with (library / "estimators" / "recipes.py").open("a") as file:
        file.write('\nRECIPES["knn"] = RECIPES["als"]\n')


def a_docstring(library: Path) -> None:
    change(library / "estimators" / "als.py", '"""Alternate; yields', '"""Yields')


def a_comment(library: Path) -> None:
    change(library / "runs" / "train.py", "# at once;", "# together;")


def als_itself(library: Path) -> None:
    change(library / "estimators" / "als.py", "START = 0.1", "START = 0.2")


def a_part_of_als(library: Path) -> None:
    change(library / "estimators" / "als_posterior.py", "FREE = 0.5", "FREE = 0.4")


def gradient_descent(library: Path) -> None:
    change(library / "estimators" / "sgd" / "optimizer.py", "self.steps += 1", "self.steps += 2")


def the_interface(library: Path) -> None:
    change(
        library / "estimators" / "api.py", "manual_seed(self.seed)", "manual_seed(self.seed + 1)"
    )


def how_runs_are_made(library: Path) -> None:
    change(library / "runs" / "errors.py", "difference.abs()", "difference")


@pytest.mark.parametrize(
    ("what", "whose"),
    [
        (a_new_estimator, set()),
        (a_new_recipe, set()),
        (a_docstring, set()),
        (a_comment, set()),
        (als_itself, {"als"}),
        (a_part_of_als, {"als"}),
        (gradient_descent, {"dot_product_bias_wd"}),
        (the_interface, {"als", "dot_product_bias_wd"}),
        (how_runs_are_made, {"als", "dot_product_bias_wd"}),
    ],
)
def test_which_code_changes_whose_key(
    spec: RunSpec, library: Path, what: Callable[[Path], None], whose: set[str]
) -> None:
    specs = {recipe.name: replace(spec, recipe=recipe) for recipe in (RECIPE, RECIPES["als"])}
    fingerprint.digest_of_files.cache_clear()
    before = {name: each.key for name, each in specs.items()}
    what(library)
    fingerprint.digest_of_files.cache_clear()
    after = {name: each.key for name, each in specs.items()}
    fingerprint.digest_of_files.cache_clear()
    assert {name for name in specs if before[name] != after[name]} == whose


def test_the_code_of_an_estimator() -> None:
    assert code_of(SGD) == ["estimators/api.py", "estimators/sgd"]
    als = [
        "estimators/api.py",
        "estimators/als.py",
        "estimators/als_posterior.py",
        "estimators/als_side.py",
    ]
    assert code_of(RECIPES["als"].estimator) == als
    assert code_of(RECIPES["bias_only"].estimator)[1] == "estimators/bias_only.py"
