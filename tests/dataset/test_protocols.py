"""Which ratings validate: disjoint, complete, the book's own rows, folds, a cut in time."""

import itertools

import numpy as np
import pytest
import torch

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import (
    ARCHIVE_ONLY,
    FOLDS,
    NAMES,
    Protocol,
    cut,
    fifth,
    latest,
    permuted,
)
from collab.lake import Manifest
from tests.archives import FIRST_TS, Planted, fold_files, fold_of, planted
from tests.dataset.conftest import TakeIn

N = len(planted().ratings)


def places(dataset: Dataset) -> list[int]:
    """The validation rows' places in the archive."""
    found: list[int] = dataset.array("valid_position").tolist()
    return found


def permutation(n: int, seed: int) -> list[int]:
    """What torch draws for a seed."""
    order: list[int] = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return order


@pytest.mark.parametrize("name", [name for name in NAMES if name != "all"])
def test_every_rating_trains_or_validates(folded_lake: Manifest, data: DataDir, name: str) -> None:
    dataset, _ = make_dataset(folded_lake, Protocol(name=name), data)
    train, valid = (rows.ts.tolist() for rows in (dataset.train(), dataset.valid()))
    assert sorted(train + valid) == sorted(ts for *_, ts in planted().ratings)  # all are distinct
    assert (len(train), len(valid)) == (dataset.n_train, dataset.n_valid)
    assert valid


def test_the_random_split_is_of_the_right_size() -> None:
    assert permuted(Protocol(split_seed=3), 101, 0, cut(101, 0.2)).sum() == 20


def test_too_few_rows_to_set_some_apart_are_refused() -> None:
    assert cut(5, 0.2) == 1
    with pytest.raises(CollabError, match="There are 4 ratings; at least 5 are needed"):
        cut(4, 0.2)


def test_too_few_ratings_are_refused_where_a_dataset_is_made(
    take_in: TakeIn, data: DataDir
) -> None:
    few = Planted(planted().ratings[:4], planted().movies)
    with pytest.raises(CollabError, match="There are 4 ratings; at least 5 are needed"):
        make_dataset(take_in(few), Protocol(), data)
    assert list(data.datasets.glob("[!.]*")) == []


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    first, again, other = (
        permuted(Protocol(split_seed=seed), 1000, 0, 200).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_the_rows_are_the_first_of_a_seeded_permutation() -> None:
    valid = permuted(Protocol(split_seed=42), 50, 0, cut(50, 0.3))
    assert np.flatnonzero(valid).tolist() == sorted(permutation(50, 42)[:15])


def test_the_books_rows_bit_for_bit(planted_lake: Manifest, data: DataDir) -> None:
    for seed in (42, 7):
        dataset, _ = make_dataset(planted_lake, Protocol(split_seed=seed), data)
        assert places(dataset) == sorted(permutation(N, seed)[: int(0.2 * N)])


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    permuted(Protocol(split_seed=1), 100, 0, 20)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", FOLDS)
def test_a_fold_is_the_archives_own(folded_lake: Manifest, data: DataDir, name: str) -> None:
    dataset, _ = make_dataset(folded_lake, Protocol(name=name), data)
    assert places(dataset) == [place for place in range(N) if fold_of(place) == name]


def test_ua_and_ub_are_the_archives_own(folded_lake: Manifest, data: DataDir) -> None:
    found = [places(make_dataset(folded_lake, Protocol(name=n), data)[0]) for n in ARCHIVE_ONLY]
    assert found == [[0], [N - 1]]


@pytest.mark.parametrize("name", ["u1", "ua"])
def test_an_archive_of_ml_100k_without_folds_is_refused(
    planted_lake: Manifest, data: DataDir, name: str
) -> None:
    said = rf"The archive of ml-100k holds no fold {name}\. .*--archive, or use --protocol random"
    with pytest.raises(CollabError, match=said):
        make_dataset(planted_lake, Protocol(name=name), data)


def test_elsewhere_the_folds_are_the_fifths_of_a_permutation(
    csv_lake: Manifest, data: DataDir
) -> None:
    folds = [places(make_dataset(csv_lake, Protocol(name=name), data)[0]) for name in FOLDS]
    order = permutation(N, 42)
    assert folds == [sorted(order[i * N // 5 : (i + 1) * N // 5]) for i in range(5)]
    assert sorted(place for fold in folds for place in fold) == list(range(N))
    with pytest.raises(CollabError, match="ml-latest-small holds no fold ua"):
        make_dataset(csv_lake, Protocol(name="ua"), data)


def test_fifths_are_disjoint_complete_and_never_empty() -> None:
    for n in (5, 7, 100, 103):
        ends = [fifth(n, part) for part in range(5)]
        assert [place for start, end in ends for place in range(start, end)] == list(range(n))
        assert {end - start for start, end in ends} <= {n // 5, n // 5 + 1}
    with pytest.raises(CollabError, match="There are 4 ratings"):
        fifth(4, 0)


def scattered() -> Planted:
    """The planted rows with times that have nothing to do with their order, ten to a second."""
    times = np.random.default_rng(0).permutation(N) // 10
    ratings = [
        (u, m, r, FIRST_TS + int(times[at])) for at, (u, m, r, _) in enumerate(planted().ratings)
    ]
    return Planted(ratings, planted().movies)


def test_no_validation_row_is_older_than_a_training_row(take_in: TakeIn, data: DataDir) -> None:
    rows = scattered()
    dataset, _ = make_dataset(take_in(rows), Protocol(name="temporal"), data)
    train, valid = dataset.train().ts, dataset.valid().ts
    assert len(valid) == int(0.2 * N)
    assert int(valid.min()) >= int(train.max())
    expected = sorted(range(N), key=lambda place: rows.ratings[place][3])[N - len(valid) :]
    assert places(dataset) == sorted(expected)


def test_of_one_second_the_last_in_the_archive_validate() -> None:
    assert latest(np.array([9, 5, 5, 5, 1]), 0.4).tolist() == [True, False, False, True, False]


def test_all_ratings_train(planted_lake: Manifest, data: DataDir) -> None:
    dataset, _ = make_dataset(planted_lake, Protocol(name="all"), data)
    assert (dataset.n_train, dataset.n_valid, len(dataset.valid())) == (N, 0, 0)


def times(dataset: Dataset) -> tuple[set[int], set[int]]:
    """The time stamps, all distinct, of the rows that train and of those that validate."""
    train, valid = set(dataset.train().ts.tolist()), set(dataset.valid().ts.tolist())
    assert not train & valid
    return train, valid


@pytest.mark.parametrize("name", ["random", "u1", "ua", "temporal"])
def test_an_inner_split_is_of_the_training_rows_alone(
    folded_lake: Manifest, data: DataDir, name: str
) -> None:
    outer, _ = times(make_dataset(folded_lake, Protocol(name=name), data)[0])
    inner = [make_dataset(folded_lake, Protocol(name=name, inner=n), data)[0] for n in (1, 2)]
    held = []
    for dataset in inner:
        train, valid = times(dataset)
        assert train | valid <= outer
        held.append(valid)
    assert held[0] != held[1]
    if name != "temporal":
        assert [times(dataset)[0] | times(dataset)[1] for dataset in inner] == [outer, outer]
        assert {len(valid) for valid in held} == {int(0.2 * len(outer))}


def test_an_inner_split_of_the_random_one_is_a_permutation_of_its_training_rows(
    planted_lake: Manifest, data: DataDir
) -> None:
    outer = sorted(permutation(N, 42)[int(0.2 * N) :])
    dataset, _ = make_dataset(planted_lake, Protocol(inner=7), data)
    held = permutation(len(outer), 7)[: int(0.2 * len(outer))]
    assert places(dataset) == sorted(outer[place] for place in held)
    assert dataset.n_train == len(outer) - len(held)


def test_an_inner_split_in_time_ends_before_the_outer_one(take_in: TakeIn, data: DataDir) -> None:
    lake = take_in(scattered())
    datasets = [make_dataset(lake, Protocol(name="temporal", inner=n), data)[0] for n in range(3)]
    for later, earlier in itertools.pairwise(datasets):
        assert max(earlier.valid().ts.tolist()) <= min(later.valid().ts.tolist())
        assert earlier.n_train + earlier.n_valid == later.n_train


def test_two_more_of_the_kind() -> None:
    assert [p.split_seed for p in Protocol().others()] == [1, 2]
    assert [p.split_seed for p in Protocol(split_seed=1).others()] == [42, 2]
    assert [p.split_seed for p in Protocol(split_seed=9).others()] == [1, 2]
    assert [p.name for p in Protocol(name="u4").others()] == ["u5", "u1"]
    assert [p.share for p in Protocol(share=0.1).others()] == [0.1, 0.1]
    assert Protocol(name="temporal").others() == Protocol(name="all").others() == []


def test_labels() -> None:
    assert [Protocol(name=name).label for name in ("random", "u1", "temporal", "all")] == [
        "random 20%, seed 42", "u1", "temporal, last 20%", "all",
    ]  # fmt: skip
    assert Protocol(inner=3).label == "random 20%, seed 42, inner 3"
    assert [Protocol(name=name, inner=1).folder for name in ("random", "u1")] == [
        "random-42-inner1", "u1-inner1",
    ]  # fmt: skip


def test_what_cuts_nothing_is_refused() -> None:
    with pytest.raises(CollabError, match=r"Unknown protocol 'temporel'\. Did you mean temporal"):
        Protocol(name="temporel")
    for seed in (-1, 2**63):
        with pytest.raises(CollabError, match=f"The split seed is {seed}"):
            Protocol(split_seed=seed)


def test_a_fold_that_the_archive_leaves_out_is_named(take_in: TakeIn, data: DataDir) -> None:
    files = {"u1.test": fold_files(planted())["u1.test"]}
    lake = take_in(planted(), changed=files)
    assert places(make_dataset(lake, Protocol(name="u1"), data)[0])
    with pytest.raises(CollabError, match="holds no fold u2"):
        make_dataset(lake, Protocol(name="u2"), data)
