"""The notebook of an analyst's questions, on a small publication of real ml-100k."""

from dataclasses import replace

import pytest

from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe
from collab.estimators.recipes import RECIPES
from collab.evaluation.standings import evaluate
from collab.lake import ingest
from collab.movielens.sources import Source
from collab.release.publish import Release, publish
from collab.runs.devices import Slot
from collab.runs.launch import run_in_child
from collab.runs.record import Run
from collab.runs.spec import RunSpec
from scripts.notebook import executed

pytestmark = pytest.mark.realdata

NAMED = ("embedding_dot_bias", "dot_product_bias_wd")  # the notebook asks them by name
SHORT = 60  # sweeps: enough to take newcomers in and to be champion
ONE = [Slot(kind="cpu", index=0, threads=1)]


def recipes() -> list[Recipe]:
    """What the notebook asks of, and a sampled champion; each as short as it can be."""
    sampled = RECIPES["bayesian_mf"]
    short = replace(sampled, estimator=replace(sampled.estimator, sweeps=SHORT))  # type: ignore[type-var]
    named = [replace(RECIPES[name], estimator=RECIPES[f"fast_{name}"].estimator) for name in NAMED]
    return [*named, RECIPES["als"], short]


@pytest.fixture(scope="module")
def asked(real_data: tuple[DataDir, Source]) -> DataDir:
    """The data folder of that publication."""
    data, source = real_data
    lake, _ = ingest(source, data)

    def trained(recipe: Recipe, protocol: Protocol) -> Run:
        dataset, _ = make_dataset(lake, protocol, data)
        spec = RunSpec(dataset=dataset.path, runs=data.runs, recipe=recipe, seed=42, device="cpu")
        return run_in_child(spec, ONE)[0]

    evaluation = evaluate([trained(recipe, Protocol()) for recipe in recipes()])
    champion = evaluation.champion.run.recipe
    refit = trained(champion, Protocol(name="all"))
    publish(Release(lake=lake, evaluation=evaluation, refit=refit), data)
    return data


def test_every_question_has_an_answer(asked: DataDir) -> None:
    notebook = executed(asked.root)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) >= 15
    for cell in cells:
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert printed, cell.source
        assert len(printed) < 4_000, cell.source
        assert "0 rows" not in printed, cell.source
