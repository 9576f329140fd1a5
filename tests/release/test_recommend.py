"""Recommendations in blocks are those of the plain formula, and what is left out says so."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

import collab
from collab.base.files import read_json
from collab.dataset.rows import Groups, Rows, starts_of
from collab.estimators.api import Factors
from collab.release import neighbors, recommend, room
from collab.release.interpret import Learnt, Model
from collab.release.recommend import recommendations
from collab.report import publish_report
from tests.release.planted import Published, ask

N_USERS, N_ITEMS, K = 45, 70, 4


@dataclass
class Sure:
    """A fitted model that is as sure of a rating as its user and item are far apart."""

    train_loss: float = 0.0
    n_parameters: int = 0

    def spread(self, rows: Rows) -> Tensor:
        return (rows.users - rows.items).abs().float() / 100

    def samples(self) -> Any:
        return iter(())


def planted(*, sure: bool = False, all_but: int = 0) -> tuple[Model, Tensor, Tensor]:
    """A model of chance factors; its scores (n_users, n_items), and what each user has seen.

    all_but: user 3 has seen all items but so many.
    """
    draw = torch.Generator().manual_seed(5)
    users, items = (torch.randn(n, K, generator=draw) for n in (N_USERS, N_ITEMS))
    user_bias, item_bias = (torch.randn(n, generator=draw) for n in (N_USERS, N_ITEMS))
    seen = torch.rand(N_USERS, N_ITEMS, generator=draw) < 0.3
    if all_but:
        seen[3] = torch.arange(N_ITEMS) >= all_but
    row, column = seen.nonzero(as_tuple=True)
    nothing = torch.zeros(len(row))
    train = Rows(
        users=(row + 1).int(),
        items=(column + 1).int(),
        ratings=nothing,
        ts=nothing.long(),
        by_user=Groups(starts_of(row + 1, N_USERS + 1)),
    )
    factors = Factors(
        mean=3.0,
        user_factors=users,
        item_factors=items,
        user_bias=user_bias,
        item_bias=item_bias,
        clip=(0.5, 5.0),
    )
    model = Model(
        run=None,  # type: ignore[arg-type]
        fitted=Sure() if sure else None,  # type: ignore[arg-type]
        train=train,
        users=side(users, user_bias, 3),
        items=side(items, item_bias, 7),
        factors=factors,
    )
    return model, 3.0 + users @ items.T + user_bias[:, None] + item_bias, seen


def side(factors: Tensor, bias: Tensor, step: int) -> Learnt:
    ids = np.arange(1, len(factors) + 1, dtype=np.int32) * step
    return Learnt(ids=ids, factors=factors.numpy(), bias=bias.numpy())


@pytest.fixture(params=[(7, 14, 16, 4), (512, 8192, 4096, 64)], ids=["small blocks", "as shipped"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and tiles whose edges fall inside the planted data, and the real ones."""
    users, at_once, columns, group = request.param
    monkeypatch.setattr(recommend, "USERS", users)
    monkeypatch.setattr(recommend, "USERS_AT_ONCE", at_once)
    monkeypatch.setattr(neighbors, "COLUMNS", columns)
    monkeypatch.setattr(neighbors, "GROUP", group)


@pytest.mark.usefixtures("blocks")
def test_blocks_give_what_the_plain_formula_gives() -> None:
    model, scores, seen = planted()
    table = pd.concat(recommendations(model))
    best = scores.masked_fill(seen, -torch.inf).topk(20, dim=1)
    assert table["user_id"].tolist() == np.repeat(model.users.ids, 20).tolist()
    assert table["rank"].tolist() == list(range(1, 21)) * N_USERS
    assert table["item_id"].tolist() == ((best.indices + 1) * 7).reshape(-1).tolist()
    clipped = best.values.clamp(0.5, 5.0).reshape(-1)
    assert table["prediction"].tolist() == pytest.approx(clipped.tolist(), abs=1e-5)
    assert table["prediction"].max() == 5.0, "some are cut off"


@pytest.mark.usefixtures("blocks")
def test_fewer_unseen_are_fewer_rows() -> None:
    model, scores, _ = planted(all_but=3)
    table = pd.concat(recommendations(model))
    mine = table[table["user_id"] == 4 * 3]
    assert mine["rank"].tolist() == [1, 2, 3]
    order = scores[3, :3].argsort(descending=True) + 1
    assert mine["item_id"].tolist() == (order * 7).tolist()
    assert len(table) == 20 * (N_USERS - 1) + 3


@pytest.mark.usefixtures("blocks")
def test_spread_is_of_the_user_and_item_of_the_row() -> None:
    model, _, _ = planted(sure=True)
    table = pd.concat(recommendations(model))
    expected = (table["user_id"] / 3 - table["item_id"] / 7).abs() / 100
    assert table["sd"].tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    lower = table["prediction"] - 1.2816 * table["sd"]
    assert table["cautious"].tolist() == pytest.approx(lower.tolist())


def test_what_takes_too_long_is_left_out_where_readers_look(
    mine: Published, caplog: pytest.LogCaptureFixture
) -> None:
    snapshot, made = mine.publish(table_seconds=1e-9)
    publish_report(snapshot)
    assert made, "what is left out is part of the content"
    with collab.connect(mine.data.root) as con:
        assert ask(con, "SELECT count(*) FROM recommendations") == [(0,)]
        assert ask(
            con, "SELECT DISTINCT run_id = champion_run_id FROM predictions, publish_info"
        ) == [(True,)]
        assert len(ask(con, "FROM recommend(3)")) > 0
        ((told,),) = ask(con, "SELECT left_out FROM publish_info")
        comments = dict(ask(con, "SELECT table_name, comment FROM duckdb_tables()"))
    first, second = told
    assert first.startswith("the table recommendations: 1,200 scores, about 0.0024 s, 1e-09 are")
    assert second.startswith("the predictions of others than the champion: 180 rows, about 0.0001")
    for table, reason in (("recommendations", first), ("predictions", second)):
        assert comments[table].endswith(f"Left out of this publication: {reason}")
        assert f"Left out: {reason}" in caplog.text
        assert reason in (snapshot.folder / "report.html").read_text(encoding="utf-8")
    assert read_json(mine.data.serve / "latest.json")["left_out"] == told


def test_what_fits_is_there_for_all(published: Published) -> None:
    with collab.connect(published.data.root) as con:
        assert ask(con, "SELECT left_out FROM publish_info") == [([],)]
        assert ask(con, "SELECT count(DISTINCT run_id) FROM predictions") == [(2,)]
        assert ask(con, "SELECT count(DISTINCT user_id) FROM recommendations") == [(40,)]
        ((comment,),) = ask(
            con, "SELECT comment FROM duckdb_tables() WHERE table_name = 'recommendations'"
        )
    assert "Left out" not in comment


def test_recommendations_come_before_the_predictions_of_others(published: Published) -> None:
    release = published.release()
    scores = release.refit.record.n_users * release.refit.record.n_items
    just = 1.0001 * (scores * room.SCORE_SECONDS + 800 * room.RECOMMENDATION_SECONDS)
    assert list(room.beyond(release.evaluation, release.refit, just)) == ["predictions"]
    assert room.beyond(release.evaluation, release.refit, 1.0) == {}
    large = replace(release.refit.record, n_users=200_948, n_items=87_585)
    refit = replace(release.refit, record=large)
    assert room.beyond(release.evaluation, refit, room.TABLE_SECONDS) == {}
    assert list(room.beyond(release.evaluation, refit, 30)) == ["recommendations"]
