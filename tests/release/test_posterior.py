"""What draws say, on draws that are planted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from collab.estimators.api import Factors
from collab.release.candidates import candidates_by_mean, moments
from collab.release.interpret import Learnt
from collab.release.neighbors import nearest_rows
from collab.release.posterior import (
    bias_columns,
    gather,
    posterior_components,
    posterior_similarity,
)

N_USERS, N_ITEMS, K, DRAWS = 40, 30, 3, 12


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def rotation(seed: int) -> Tensor:
    turn: Tensor = torch.linalg.qr(normal(K, K, seed=seed)).Q
    return turn


def planted(noise: float, *, turned: bool, seed: int = 0) -> list[Factors]:
    """Draws around one truth, each with noise, and each turned by a rotation of its own."""
    users, items = normal(N_USERS + 1, K, seed=1), normal(N_ITEMS + 1, K, seed=2)
    bias = normal(N_ITEMS + 1, seed=3)
    draws = []
    for number in range(DRAWS):
        turn = rotation(100 + number) if turned else torch.eye(K)
        at = 1000 * seed + 10 * number
        draws.append(
            Factors(
                mean=3.5,
                user_factors=users @ turn,
                item_factors=(items + noise * normal(N_ITEMS + 1, K, seed=at)) @ turn,
                user_bias=torch.zeros(N_USERS + 1),
                item_bias=bias + noise * normal(N_ITEMS + 1, seed=at + 1),
            )
        )
    return draws


def learnt() -> Learnt:
    items = normal(N_ITEMS + 1, K, seed=2)[1:].numpy()
    ids = np.arange(10, 10 * (N_ITEMS + 1), 10, dtype=np.int32)
    return Learnt(ids=ids, factors=items, bias=np.zeros(N_ITEMS, dtype=np.float32))


def test_the_users_metric_is_how_predictions_vary_together() -> None:
    (draw,) = planted(0.0, turned=False)[:1]
    found = gather([draw, draw])
    rows = found.units[0] * found.lengths[0][:, None]
    predictions = draw.user_factors[1:] @ draw.item_factors[1:].T  # users by items
    apart = predictions - predictions.mean(0)
    torch.testing.assert_close(rows @ rows.T, apart.T @ apart / N_USERS, rtol=1e-4, atol=1e-4)


def test_what_all_users_agree_on_may_stand_in_factors_or_biases() -> None:
    plain = planted(0.3, turned=True)
    shifts = [normal(K, seed=500 + number) for number in range(DRAWS)]
    moved = [
        replace(
            draw,
            user_factors=draw.user_factors + shift,
            item_bias=draw.item_bias - draw.item_factors @ shift,
        )
        for draw, shift in zip(plain, shifts, strict=True)
    ]
    everyone = torch.arange(1, N_USERS + 1)
    for one, other in zip(plain, moved, strict=True):
        predicted = (d.predict(everyone, torch.full((N_USERS,), 7)) for d in (one, other))
        torch.testing.assert_close(*predicted, rtol=1e-4, atol=1e-4)
    at = np.arange(N_ITEMS)
    scores = [posterior_components(gather(draws), at, K)[0] for draws in (plain, moved)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    tables = [posterior_similarity(gather(draws), learnt(), k=5) for draws in (plain, moved)]
    assert tables[0]["neighbor_id"].tolist() == tables[1]["neighbor_id"].tolist()


def test_a_rotation_of_the_draws_changes_nothing() -> None:
    plain, turned = (
        posterior_similarity(gather(planted(0.3, turned=t)), learnt(), k=5) for t in (False, True)
    )
    assert plain["neighbor_id"].tolist() == turned["neighbor_id"].tolist()
    for name in ("similarity", "sd", "share", "cosine"):
        assert plain[name].to_numpy() == pytest.approx(turned[name].to_numpy(), abs=1e-4)


def test_mean_spread_and_share_are_those_of_the_draws() -> None:
    draws = gather(planted(0.5, turned=True))
    table = posterior_similarity(draws, learnt(), k=4)
    units = torch.stack(draws.units)
    assert units.norm(dim=2).numpy() == pytest.approx(1)
    cosines = torch.einsum("snd,smd->snm", units, units)
    row = table.iloc[6]  # the third neighbour of the second item
    i, j = int(row["item_id"]) // 10 - 1, int(row["neighbor_id"]) // 10 - 1
    assert row["similarity"] == pytest.approx(float(cosines[:, i, j].mean()), abs=1e-5)
    assert row["sd"] == pytest.approx(float(cosines[:, i, j].std()), abs=1e-5)
    near = [int(j) in nearest_rows(unit, 4)[1][int(i)].tolist() for unit in units]
    assert row["share"] == pytest.approx(np.mean(near))
    mean = cosines.mean(0).fill_diagonal_(-2)
    assert (table["neighbor_id"].to_numpy() // 10 - 1).reshape(-1, 4).tolist() == (
        mean.topk(4, dim=1).indices.tolist()
    )


def test_without_doubt_a_neighbour_is_certain() -> None:
    table = posterior_similarity(gather(planted(0.0, turned=True)), learnt(), k=4)
    assert table["sd"].max() < 1e-3
    assert table["share"].min() == 1


def test_where_all_pairs_are_too_many_candidates_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With as many candidates as there are items nothing is lost but the shares."""
    draws = gather(planted(0.5, turned=True))
    exact = posterior_similarity(draws, learnt(), k=4)
    monkeypatch.setattr("collab.release.posterior.MULTIPLICATIONS", 1)
    table = posterior_similarity(draws, learnt(), k=4)
    assert table["neighbor_id"].tolist() == exact["neighbor_id"].tolist()
    for name in ("similarity", "sd", "cosine"):
        assert table[name].to_numpy() == pytest.approx(exact[name].to_numpy(), abs=1e-5)
    assert table["share"].isna().all()


def test_in_how_many_pieces_it_is_done_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 items by 7 at once, where all of them fit into one piece."""
    draws = gather(planted(0.5, turned=True))
    monkeypatch.setattr("collab.release.posterior.MULTIPLICATIONS", 1)
    whole = posterior_similarity(draws, learnt(), k=4)
    for module in ("similarity", "candidates"):
        monkeypatch.setattr(f"collab.release.{module}.TOGETHER", 7)
    pieces = posterior_similarity(draws, learnt(), k=4)
    assert pieces["item_id"].tolist() == whole["item_id"].tolist()
    assert pieces["neighbor_id"].tolist() == whole["neighbor_id"].tolist()
    assert pieces["similarity"].to_numpy() == pytest.approx(whole["similarity"].to_numpy())


def test_shares_of_popular_neighbours_are_among_popular_ones() -> None:
    """Of two popular items each is the other's neighbour in every draw, whatever is nearer."""
    draws = gather(planted(0.5, turned=True))
    popular = torch.zeros(N_ITEMS, dtype=torch.bool)
    popular[[3, 7]] = True
    table = posterior_similarity(draws, learnt(), popular, k=1)
    known = table[table["rank_popular"].notna()]
    assert set(known["neighbor_id"]) == {40, 80}
    pair = known[known["item_id"].isin([40, 80])]
    assert pair["neighbor_id"].tolist() == [80, 40]
    assert pair["share_popular"].tolist() == [1, 1]


def test_few_candidates_hold_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 60 items in 10 planted groups the 5 of one's own group are among 8 candidates."""
    g = torch.Generator().manual_seed(0)
    centres = torch.randn(10, 12, generator=g)
    items = centres.repeat_interleave(6, 0) + 0.2 * torch.randn(5, 60, 12, generator=g)
    units = list(torch.nn.functional.normalize(items, dim=2))
    monkeypatch.setattr("collab.release.candidates.DIRECTIONS", 9)
    rows = candidates_by_mean(units, 8)(None)
    means, sds = moments(units, rows)
    means, best = means.topk(5, dim=1)
    found = rows.gather(1, best)
    assert bool((found // 6 == torch.arange(60)[:, None] // 6).all())
    assert bool((means[:, :-1] >= means[:, 1:]).all())
    assert float(sds.min()) > 0


def test_biases_by_hand() -> None:
    # two draws of 60 biases, rising; in the second the highest and the lowest change places
    first = torch.arange(60.0)
    second = first.clone()
    second[0], second[59] = 59.0, 0.0
    draws = torch.stack([first, second])
    table = bias_columns(draws, draws.mean(0))
    assert table["sd"][1] == 0
    assert (table["low"][1], table["high"][1]) == (1.0, 1.0)
    assert table["sd"][0] == pytest.approx(59 / 2**0.5)
    assert table["high"][0] == pytest.approx(29.5 + 1.96 * 59 / 2**0.5)
    assert table["p_top50"].tolist() == [0.5] + [0.0] * 9 + [1.0] * 49 + [0.5]
    assert table["p_bottom50"].tolist() == [0.5] + [1.0] * 49 + [0.0] * 9 + [0.5]


def test_components_are_the_same_for_two_seeds_and_any_rotation() -> None:
    at = np.arange(N_ITEMS)
    one, share = posterior_components(gather(planted(0.05, turned=True, seed=1)), at, K)
    other, _ = posterior_components(gather(planted(0.05, turned=True, seed=2)), at, K)
    for first, second in zip(one.T, other.T, strict=True):
        assert np.corrcoef(first, second)[0, 1] > 0.95
    assert share.tolist() == sorted(share.tolist(), reverse=True)
    assert float(share.sum()) == pytest.approx(1, abs=0.05)
