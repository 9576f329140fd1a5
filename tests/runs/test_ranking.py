"""How good lists are, by hand."""

from dataclasses import dataclass, replace
from math import log2
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
import torch
from torch import Tensor

import collab
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.dataset.rows import Rows, grouped
from collab.estimators.api import Factors
from collab.runs import ranking
from collab.runs.ranking import Ranking, rank
from collab.runs.spec import RunSpec
from collab.runs.train import ranked, train_run
from tests.release.planted import Published, ask, quick

USERS, ITEMS = 3, 20  # the unknown not counted


def rows(*pairs: tuple[int, int, float]) -> Rows:
    """Rows of user, item and stars."""
    users, items, stars = zip(*pairs, strict=True)
    moments = torch.arange(len(pairs)) + 1
    return Rows(
        users=torch.tensor(users, dtype=torch.int32),
        items=torch.tensor(items, dtype=torch.int32),
        ratings=torch.tensor(stars),
        ts=moments,
    )


# everybody rated item 20 last, and user 1 the items 1 and 2 before
TRAIN = grouped(rows((1, 1, 5.0), (1, 2, 1.0), (1, 20, 3.0), (2, 20, 3.0), (3, 20, 3.0)), 4, 21)


@dataclass
class ByNumber:
    """The smaller the number of an item, the better; remembers the moments it was asked about."""

    train_loss: float = 0.0
    n_parameters: int = 0
    asked: Tensor | None = None

    def predict(self, rows: Rows) -> Tensor:
        """Stars."""
        self.asked = rows.ts
        return 5 - rows.items / 10

    def factors(self) -> Factors:
        """The other way round: the larger the number, the better."""
        return Factors(
            mean=3.0,
            user_factors=torch.ones(USERS + 1, 1),
            item_factors=torch.arange(ITEMS + 1.0)[:, None],
            user_bias=torch.zeros(USERS + 1),
            item_bias=torch.zeros(ITEMS + 1),
            clip=(1, 5),
        )

    def save(self, folder: Path) -> None:
        """Nothing."""


def ranking_of(*valid: tuple[int, int, float], by_factors: bool = False) -> Ranking | None:
    """The figures of such a model where these rows are to be found."""
    none = torch.zeros(len(valid), dtype=torch.bool)
    return rank(ByNumber(), TRAIN, rows(*valid), none, by_factors=by_factors)


def test_lists_hold_the_best_that_a_user_has_not_rated() -> None:
    # user 1 is shown 3 to 12: item 4 second, item 12 tenth, 13 not; user 2 is shown 1 to 10
    found = ranking_of((1, 4, 5.0), (1, 12, 4.0), (1, 13, 5.0), (2, 1, 4.5), (2, 5, 3.5))
    gains = (1 + 1 / log2(10)) / (1 + 1 + 1 / log2(3))
    assert found is not None
    assert found.ndcg == pytest.approx((gains + 1) / 2)
    assert found.recall == pytest.approx((2 / 3 + 1) / 2)
    assert (found.coverage, found.users) == (12 / 20, 2)


def test_by_factors_the_order_is_that_of_scores_before_they_are_cut_off() -> None:
    # every score is 5 stars once cut off; item 20 is rated, so 19 down to 10 are shown
    found = ranking_of((2, 19, 5.0), (2, 10, 5.0), (2, 9, 5.0), by_factors=True)
    assert found is not None
    assert found.recall == pytest.approx(2 / 3)
    assert found.coverage == 10 / 20


def test_of_more_than_ten_all_that_a_list_can_hold_is_enough() -> None:
    found = ranking_of(*[(2, item, 5.0) for item in range(1, 16)])
    assert found is not None
    assert found.ndcg == pytest.approx(1)
    assert found.recall == 1


def test_what_training_never_saw_cannot_be_found_and_counts() -> None:
    found = ranking_of((2, 1, 5.0), (2, 0, 5.0), (0, 3, 5.0))
    assert found is not None
    assert (found.recall, found.users) == (0.5, 1)


def test_a_list_is_short_where_little_is_left() -> None:
    few = grouped(rows(*[(1, item, 3.0) for item in range(1, 19)]), 2, 21)
    valid, none = rows((1, 20, 5.0)), torch.zeros(1, dtype=torch.bool)
    found = rank(ByNumber(), few, valid, none, by_factors=False)
    assert found is not None
    assert (found.ndcg, found.recall, found.coverage, found.users) == (1.0, 1.0, 0.1, 1)


def test_rows_that_training_gives_away_are_not_looked_for() -> None:
    valid = rows((2, 1, 5.0), (3, 1, 5.0))
    found = rank(ByNumber(), TRAIN, valid, torch.tensor([True, False]), by_factors=False)
    assert found is not None
    assert found.users == 1


def test_an_item_rated_under_two_ids_is_looked_for_once() -> None:
    found = ranking_of((2, 1, 5.0), (2, 1, 4.0), (2, 15, 5.0))
    assert found is not None
    assert found.recall == 0.5


def test_nothing_to_find() -> None:
    assert ranking_of((1, 5, 3.5), (0, 1, 5.0)) is None


def test_what_is_predicted_is_of_the_users_last_moment() -> None:
    model, none = ByNumber(), torch.zeros(1, dtype=torch.bool)
    rank(model, TRAIN, rows((1, 5, 5.0)), none, by_factors=False)
    assert model.asked is not None
    assert model.asked.tolist() == [3] * ITEMS


def test_of_many_users_a_sample_is_ranked_the_same_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranking, "MOST_PAIRS", 2 * ITEMS)
    valid = [(1, 4, 5.0), (2, 1, 5.0), (3, 11, 5.0)]
    first, again = ranking_of(*valid), ranking_of(*reversed(valid))
    assert first is not None
    assert first.users == 2
    assert first == again


def test_a_run_writes_them_after_its_last_pass(
    published: Published, planted_dataset: Dataset, tmp_path: Path
) -> None:
    names = {"ndcg@10", "recall@10", "coverage@10", "ranked_users"}
    for variant in ("dot_product_bias_wd", "embedding_nn"):
        recipe = quick(variant)
        spec = RunSpec(
            dataset=planted_dataset.path, runs=tmp_path, recipe=recipe, seed=1, device="cpu"
        )
        train_run(spec)
        table = pd.read_parquet(spec.folder / "metrics.parquet")
        found = table[table["metric"].isin(names)]
        assert set(found["metric"]) == names
        assert set(found["epoch"]) == {recipe.estimator.passes}
        assert found[found["metric"] != "ranked_users"]["value"].between(0, 1).all()


def test_they_are_published_beside_the_errors(published: Published) -> None:
    a, b = (run.record.variant for run in published.runs)
    with collab.connect(published.data.root) as con:
        shown = dict(ask(con, "SELECT variant, ndcg_10 FROM leaderboard"))
        metrics = "metrics JOIN standings USING (run_id, variant) WHERE metric = 'ndcg@10'"
        told = dict(ask(con, f"SELECT variant, value FROM {metrics}"))
        beside = con.execute(
            "SELECT a, b FROM compare_runs(?, ?) WHERE measure = 'ndcg_10'", [a, b]
        ).fetchall()
    assert shown == told
    assert beside == [(told[a], told[b])]


def test_trials_of_a_search_are_not_ranked(planted_dataset: Dataset) -> None:
    inner = replace(planted_dataset, protocol=Protocol(inner=1))
    assert ranked(ByNumber(), planted_dataset, None) is not None
    assert ranked(ByNumber(), inner, None) is None


def test_a_model_that_would_take_minutes_is_not_ranked(planted_dataset: Dataset) -> None:
    class Slow(ByNumber):
        slow_to_list: ClassVar[bool] = True

    assert ranked(Slow(), planted_dataset, None) is None
