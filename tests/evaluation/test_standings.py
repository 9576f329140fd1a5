"""Places, a shared first place, and who is the champion."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from collab.base.errors import CollabError
from collab.evaluation.judged import judge, judge_published
from collab.evaluation.standings import Evaluation, evaluate, finalists
from collab.runs.record import Run
from tests.runs.records import SEED_1, write_run

OTHER: dict[str, Any] = {"dataset": "ml-100k-random-1-0", "protocol": vars(SEED_1)}
NAN = float("nan")


def run(
    runs: Path,
    variant: str,
    errors: list[float],
    repeated: list[bool] | None = None,
    **changes: Any,
) -> Run:
    """A run of a variant whose predictions are off by these errors."""
    name = f"{variant}-{changes.get('dataset', '42')}"
    return write_run(runs, name, errors, repeated, variant=variant, **changes)


def names(evaluation: Evaluation) -> list[str]:
    """The variants, best first."""
    return [run.record.variant for run in evaluation.runs]


def test_places_go_by_the_error(tmp_path: Path) -> None:
    found = evaluate(
        [
            run(tmp_path, "bad", [2.0] * 40),
            run(tmp_path, "good", [0.5] * 40),
            run(tmp_path, "middling", [1.0] * 40),
        ]
    )
    assert names(found) == ["good", "middling", "bad"]
    assert [standing.place for standing in found.standings] == [1, 2, 3]
    assert [standing.judged_mse for standing in found.standings] == [0.25, 1, 4]
    assert [standing.behind.value for standing in found.standings] == [0, 0.75, 3.75]
    assert [standing.split_mses for standing in found.standings] == [(0.25,), (1,), (4,)]
    assert [standing.sd_mse for standing in found.standings] == [None] * 3
    assert found.shared == ["good"]
    assert found.champion is found.standings[0]


def test_equal_errors_are_placed_by_name(tmp_path: Path) -> None:
    runs = [run(tmp_path, name, [1.0] * 4) for name in ("b", "a")]
    assert names(evaluate(runs)) == names(evaluate(runs[::-1])) == ["a", "b"]


def test_the_first_place_is_shared_by_what_does_not_differ(tmp_path: Path) -> None:
    evaluation = evaluate(
        [
            run(tmp_path, "first", [1.0] * 40),
            run(tmp_path, "as_good", [0.9, 1.1] * 20),  # now better, now worse: by 0.01 in all
            run(tmp_path, "worse", [1.2] * 40),
        ]
    )
    assert evaluation.shared == ["first", "as_good"]
    first, second, third = evaluation.standings
    assert not first.behind.differs
    assert second.behind.low < 0 < second.behind.high
    assert third.behind.low > 0


def test_rows_rated_twice_are_never_judged(tmp_path: Path) -> None:
    twice = [True, False, False, False]
    remembers = run(tmp_path, "remembers", [0.0, 1.0, 1.0, 1.0], twice)
    honest = run(tmp_path, "honest", [9.0, 0.9, 0.9, 0.9], twice)
    assert judge(remembers).position.tolist() == judge(honest).position.tolist() == [1, 2, 3]
    found = evaluate([remembers, honest])
    assert names(found) == ["honest", "remembers"]
    assert [standing.judged_mse for standing in found.standings] == pytest.approx([0.81, 1])
    assert names_of(finalists([remembers, honest])) == ["honest", "remembers"]


def names_of(runs: list[Run]) -> list[str]:
    """Their variants."""
    return [run.record.variant for run in runs]


def test_the_champion_is_best_over_the_splits(tmp_path: Path) -> None:
    found = evaluate(
        [
            run(tmp_path, "lucky", [0.5] * 4),
            run(tmp_path, "steady", [0.6] * 4),
            run(tmp_path, "lucky", [1.0] * 4, **OTHER),
            run(tmp_path, "steady", [0.6] * 4, **OTHER),
        ]
    )
    assert names(found) == ["lucky", "steady"]
    assert found.champion.run.record.variant == "steady"
    assert found.champion.run.record.dataset == "ml-100k-random-42-0"
    lucky, steady = found.standings
    assert lucky.split_mses == pytest.approx((0.25, 1))
    assert lucky.mean_mse == pytest.approx(0.625)
    assert lucky.sd_mse == pytest.approx(0.75 / math.sqrt(2))
    assert steady.sd_mse == pytest.approx(0)
    assert [run.record.dataset for run in found.confirmations] == [OTHER["dataset"]] * 2


def test_one_split_alone_is_no_proof_beside_two(tmp_path: Path) -> None:
    found = evaluate(
        [
            run(tmp_path, "once", [0.1] * 4),
            run(tmp_path, "twice", [0.6] * 4),
            run(tmp_path, "twice", [0.6] * 4, **OTHER),
        ]
    )
    assert found.champion.run.record.variant == "twice"


@pytest.mark.parametrize(
    "unable", [{"factors_gap": None}, {"factors_gap": 0.5}, {"uses_time": True}], ids=str
)
def test_the_champion_supplies_tables(tmp_path: Path, unable: dict[str, Any]) -> None:
    best = run(tmp_path, "best", [0.1] * 4, **unable)
    able = run(tmp_path, "able", [0.6] * 4)
    found = evaluate([best, able])
    assert names(found) == ["best", "able"]
    assert found.champion.run.record.variant == "able"
    with pytest.raises(CollabError, match="None of the variants best has factors and biases"):
        evaluate([best])


def test_what_is_no_number_never_wins(tmp_path: Path) -> None:
    for place, errors in enumerate(([NAN] * 4, [0.0, 0.0, 0.0, NAN], [math.inf] * 4)):
        runs = tmp_path / str(place)
        broken, sound = run(runs, "broken", errors), run(runs, "sound", [1.0] * 4)
        for given in ([broken, sound], [sound, broken]):
            assert names(evaluate(given)) == ["sound"]
            assert finalists(given) == [sound]
        with pytest.raises(CollabError, match="No run has a valid MSE that is a number"):
            evaluate([broken])
        with pytest.raises(CollabError, match="No run has a valid MSE that is a number"):
            finalists([broken])


def test_what_is_no_number_on_a_further_split_does_not_win_either(tmp_path: Path) -> None:
    found = evaluate(
        [
            run(tmp_path, "broken", [0.5] * 4),
            run(tmp_path, "sound", [0.6] * 4),
            run(tmp_path, "broken", [NAN] * 4, **OTHER),
            run(tmp_path, "sound", [0.6] * 4, **OTHER),
        ]
    )
    assert found.champion.run.record.variant == "sound"
    assert math.isfinite(found.standings[0].mean_mse)


def test_a_prediction_that_is_no_number_counts_on_a_row_rated_twice_too(tmp_path: Path) -> None:
    broken = run(tmp_path, "broken", [NAN, 0.1, 0.1], [True, False, False])
    sound = run(tmp_path, "sound", [1.0] * 3, [True, False, False])
    assert names(evaluate([broken, sound])) == ["sound"]


def test_nothing_to_evaluate(tmp_path: Path) -> None:
    with pytest.raises(CollabError, match=r"There is no run to evaluate\. Run `train` first"):
        evaluate([])
    with pytest.raises(CollabError, match="No run has a valid MSE"):
        evaluate([run(tmp_path, "on_all", [])])


def test_finalists_are_the_best_three_and_one_that_supplies_tables(tmp_path: Path) -> None:
    nets = [run(tmp_path, f"net{n}", [0.1 * n] * 4, factors_gap=None) for n in (1, 2, 3, 4)]
    tables = [run(tmp_path, f"als{n}", [float(n)] * 4) for n in (1, 2)]
    assert names_of(finalists([*tables, *nets])) == ["net1", "net2", "net3", "als1"]
    assert names_of(finalists(tables)) == ["als1", "als2"]
    assert names_of(finalists(nets)) == ["net1", "net2", "net3"]


def test_a_published_run_is_judged_as_it_was(tmp_path: Path) -> None:
    runs = [
        run(tmp_path, name, errors, [False, True, False])
        for name, errors in (("a", [0.1, 0.2, 0.3]), ("b", [1.0, 2.0, 3.0]))
    ]
    tables = [
        pd.read_parquet(r.folder / "predictions.parquet").assign(run_id=r.run_id) for r in runs
    ]
    published = tmp_path / "predictions.parquet"
    pd.concat(tables).sample(frac=1, random_state=0).to_parquet(published, index=False)
    for each in runs:
        found, expected = judge_published(published, each.run_id), judge(each)
        assert found.position.tolist() == expected.position.tolist() == [0, 2]
        assert found.user_id.tolist() == expected.user_id.tolist()
        np.testing.assert_array_equal(found.squared, expected.squared)
        assert found.mse == pytest.approx(each_mse(each))


def each_mse(each: Run) -> float:
    """The mean squared error of the rows that are not rated twice."""
    table = pd.read_parquet(each.folder / "predictions.parquet").iloc[[0, 2]]
    return float(((table["prediction"].astype(float) - table["rating"]) ** 2).mean())
