"""A dataset: made once, mapped, encoded, grouped, and what it says of itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.dataset.build import dataset_key, make_dataset
from collab.dataset.dataset import Dataset, load_dataset
from collab.dataset.protocols import Protocol
from collab.dataset.rows import Rows, grouped
from collab.lake import Manifest, ingest
from collab.movielens.editions import ML_100K
from collab.movielens.sources import find_archive
from tests.archives import N_MOVIES, Planted, fold_files, fold_of, planted
from tests.dataset.conftest import TakeIn

RATINGS = planted().ratings
N = len(RATINGS)
ITEM_OF = {N_MOVIES: 15}  # the title of movie 15 under another id


def item(movie: int) -> int:
    """The item of a planted movie."""
    return ITEM_OF.get(movie, movie)


def held(dataset: Dataset) -> set[int]:
    """The places of the validation rows in the archive."""
    return set(dataset.array("valid_position").tolist())


def decoded(dataset: Dataset, rows: Rows) -> list[tuple[int, int, float, int]]:
    """Rows with their users' and items' ids."""
    users, items = (np.concatenate([[0], words.ids]) for words in (dataset.users, dataset.items))
    columns = (users[rows.users], items[rows.items], rows.ratings.numpy(), rows.ts.numpy())
    return list(zip(*(column.tolist() for column in columns), strict=True))


def moment(ts: int) -> datetime:
    """A time stamp as a moment in UTC."""
    return datetime.fromtimestamp(ts, UTC)


def test_the_training_rows_stand_by_user_and_time(planted_dataset: Dataset) -> None:
    places = set(range(N)) - held(planted_dataset)
    expected = [(u, item(m), r, ts) for u, m, r, ts in (RATINGS[place] for place in places)]
    expected.sort(key=lambda row: (row[0], row[3]))
    assert decoded(planted_dataset, planted_dataset.train()) == expected


def test_the_validation_rows_stand_as_in_the_archive(planted_dataset: Dataset) -> None:
    chosen = [RATINGS[place] for place in sorted(held(planted_dataset))]
    expected = [(u, item(m), r, ts) for u, m, r, ts in chosen]
    assert decoded(planted_dataset, planted_dataset.valid()) == expected
    assert planted_dataset.array("valid_user_id").tolist() == [u for u, *_ in chosen]
    assert planted_dataset.array("valid_movie_id").tolist() == [m for _, m, *_ in chosen]


def test_the_vocabulary_is_of_the_training_rows_by_item(planted_dataset: Dataset) -> None:
    seen = {RATINGS[place][1] for place in set(range(N)) - held(planted_dataset)}
    assert planted_dataset.items.ids.tolist() == sorted(seen - {N_MOVIES})
    assert planted_dataset.n_items == len(planted_dataset.items) - 1


def test_the_record_counts(planted_lake: Manifest, data: DataDir) -> None:
    dataset, _ = make_dataset(planted_lake, Protocol(share=0.97), data)
    train, valid = dataset.train(), dataset.valid()
    assert len(valid) == dataset.n_valid == int(0.97 * N)
    assert dataset.unknown_user_rows == int((valid.users == 0).sum()) > 0
    assert dataset.unknown_item_rows == int((valid.items == 0).sum())
    assert dataset.n_users == len(set(train.users.tolist()))
    assert dataset.mean == pytest.approx(float(train.ratings.double().mean()))
    assert dataset.scale == (1, 5)
    assert (dataset.edition, dataset.item_key, dataset.as_of) == ("ml-100k", "title", None)


@pytest.mark.parametrize("regroup", [False, True], ids=["as made", "grouped again"])
def test_groups_agree_with_the_rows(planted_dataset: Dataset, regroup: bool) -> None:
    rows = planted_dataset.train()
    if regroup:
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
        sizes = (len(planted_dataset.users), len(planted_dataset.items))
        again = grouped(rows.take(order), *sizes)
        assert torch.equal(again.ts, rows.ts)
        rows = again
    assert rows.by_user
    assert rows.by_item
    assert rows.by_item.order is not None
    for groups, indices, order in (
        (rows.by_user, rows.users, torch.arange(len(rows))),
        (rows.by_item, rows.items, rows.by_item.order),
    ):
        assert sorted(order.tolist()) == list(range(len(rows)))
        for index in range(len(groups.counts)):
            at = order[int(groups.starts[index]) : int(groups.starts[index + 1])].tolist()
            assert at == [place for place, i in enumerate(indices.tolist()) if i == index]
        assert groups.counts[0] == 0  # nothing trains the unknown


def test_pairs_rated_twice_are_flagged_and_counted(planted_dataset: Dataset) -> None:
    trained = {(RATINGS[p][0], item(RATINGS[p][1])) for p in set(range(N)) - held(planted_dataset)}
    expected = [
        (RATINGS[p][0], item(RATINGS[p][1])) in trained for p in sorted(held(planted_dataset))
    ]
    assert planted_dataset.array("valid_repeated").tolist() == expected
    assert planted_dataset.repeated_rows == sum(expected) > 0
    # only the title that stands twice can be rated twice
    twice = planted_dataset.array("valid_movie_id")[planted_dataset.array("valid_repeated")]
    assert set(twice.tolist()) <= {15, N_MOVIES}


def test_where_every_movie_is_an_item_nothing_is_rated_twice(
    planted_zip: Path, data: DataDir
) -> None:
    source = find_archive(ML_100K, data, archive=planted_zip, trust=True)
    lake, _ = ingest(source, data, item_key="movie")
    dataset, _ = make_dataset(lake, Protocol(split_seed=1), data)
    assert dataset.repeated_rows == 0
    assert not dataset.array("valid_repeated").any()


def test_the_arrays_are_mapped_and_what_a_child_writes_stays_its_own(
    planted_dataset: Dataset,
) -> None:
    names = [path.stem for path in planted_dataset.path.glob("*.npy")]
    assert len(names) > 15
    assert all(isinstance(planted_dataset.array(name), np.memmap) for name in names)
    before = planted_dataset.train().ratings.clone()
    planted_dataset.train().ratings.zero_()
    assert torch.equal(planted_dataset.train().ratings, before)


def test_made_once(planted_lake: Manifest, data: DataDir) -> None:
    first, made = make_dataset(planted_lake, Protocol(), data)
    assert made
    times = {path: path.stat().st_mtime_ns for path in first.path.iterdir()}
    again, made = make_dataset(planted_lake, Protocol(), data)
    assert not made
    assert again == first == load_dataset(first.path)
    assert {path: path.stat().st_mtime_ns for path in first.path.iterdir()} == times


def damage_array(dataset: Dataset) -> None:
    (dataset.path / "train_items.npy").write_bytes(b"else")


def delete_record(dataset: Dataset) -> None:
    (dataset.path / "dataset.json").unlink()


@pytest.mark.parametrize("damage", [damage_array, delete_record])
def test_a_damaged_one_is_made_again(
    planted_lake: Manifest, data: DataDir, damage: Callable[[Dataset], None]
) -> None:
    first, _ = make_dataset(planted_lake, Protocol(), data)
    expected = first.train().items.tolist()
    damage(first)
    again, made = make_dataset(planted_lake, Protocol(), data)
    assert made
    assert again.train().items.tolist() == expected


def test_force_makes_it_again(planted_lake: Manifest, data: DataDir) -> None:
    make_dataset(planted_lake, Protocol(), data)
    assert make_dataset(planted_lake, Protocol(), data, force=True)[1]


def test_what_a_dataset_depends_on_is_in_its_key(
    planted_lake: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [
        dataset_key(planted_lake, Protocol(), None),
        dataset_key(planted_lake, Protocol(split_seed=1), None),
        dataset_key(planted_lake, Protocol(share=0.1), None),
        dataset_key(planted_lake, Protocol(name="temporal"), None),
        dataset_key(planted_lake, Protocol(), moment(RATINGS[99][3])),
        dataset_key(planted_lake, Protocol(), moment(RATINGS[99][3] + 1)),
        dataset_key(replace(planted_lake, fingerprint="other"), Protocol(), None),
    ]
    monkeypatch.setattr("collab.dataset.build.code_digest", lambda *names: "changed code")
    keys.append(dataset_key(planted_lake, Protocol(), None))
    assert len(set(keys)) == len(keys)


def test_only_ratings_up_to_a_moment(planted_lake: Manifest, data: DataDir) -> None:
    last = 99
    day = moment(RATINGS[last][3])
    dataset, _ = make_dataset(planted_lake, Protocol(split_seed=1), data, as_of=day)
    rows = decoded(dataset, dataset.train()) + decoded(dataset, dataset.valid())
    assert sorted(ts for *_, ts in rows) == [ts for *_, ts in RATINGS[: last + 1]]
    assert dataset.as_of == day.isoformat()
    assert set(dataset.items.ids.tolist()) <= {item(m) for _, m, *_ in RATINGS[: last + 1]}
    generator = torch.Generator().manual_seed(1)
    assert held(dataset) == set(torch.randperm(100, generator=generator)[:20].tolist())
    whole, _ = make_dataset(planted_lake, Protocol(split_seed=1), data)
    assert dataset.path != whole.path


def test_a_fold_up_to_a_moment_is_what_was_rated_by_then(take_in: TakeIn, data: DataDir) -> None:
    turned = [(u, m, r, RATINGS[-1 - place][3]) for place, (u, m, r, _) in enumerate(RATINGS)]
    rows = Planted(turned, planted().movies)  # the last in the archive is the oldest
    lake = take_in(rows, changed=fold_files(rows))
    day = moment(RATINGS[99][3])
    dataset, _ = make_dataset(lake, Protocol(name="u2"), data, as_of=day)
    assert held(dataset) == {place for place in range(N - 100, N) if fold_of(place) == "u2"}


def test_a_moment_before_nearly_all_is_refused(planted_lake: Manifest, data: DataDir) -> None:
    day = moment(RATINGS[3][3])
    with pytest.raises(CollabError, match=r"Only 4 ratings of ml-100k are as old as .*--as-of"):
        make_dataset(planted_lake, Protocol(), data, as_of=day)


def test_one_item_is_refused(take_in: TakeIn, data: DataDir) -> None:
    one = Planted([row for row in RATINGS if row[1] == 4], planted().movies)
    with pytest.raises(CollabError, match=r"ratings to train on are all of one item; at least 2"):
        make_dataset(take_in(one), Protocol(), data)
