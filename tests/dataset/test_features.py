"""Side features by hand; row 0, the unknown, is all zeros."""

from datetime import UTC, datetime

import torch

from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.protocols import Protocol
from collab.lake import Manifest
from collab.movielens.editions import ML_100K
from tests.archives import FIRST_TS, N_MOVIES, N_USERS, Planted, members, planted
from tests.dataset.conftest import TakeIn

ALL = Protocol(name="all")


def test_genres_and_years_of_items(planted_lake: Manifest, data: DataDir) -> None:
    features = make_dataset(planted_lake, ALL, data)[0].features()
    assert features.genre_names == ("Comedy", "Drama", "War")
    assert features.genres.dtype == torch.uint8
    assert features.genres.shape == (17, 3)  # 16 titles and the unknown
    assert features.genres[:4].tolist() == [[0, 0, 0], [0, 1, 1], [1, 0, 0], [0, 1, 1]]
    assert features.years[:4].tolist() == [0, 1995, 1999, 1983]
    assert features.years[15:].tolist() == [1995, 1996]


def test_codes_of_users(take_in: TakeIn, data: DataDir) -> None:
    text = members(ML_100K, planted())["u.user"]
    text = text.replace("2|22|M|writer|01234", "2|60|M|lawyer|98101")
    text = text.replace("3|23|F|writer|01234", "3|||artist|T8H1N", 1)
    lake = take_in(planted(), changed={"u.user": text})
    dataset, _ = make_dataset(lake, ALL, data)
    codes = {name: code[:5].tolist() for name, code in dataset.features().user_codes.items()}
    assert dataset.user_levels == {
        "age": ["1", "2", "3", "6"],  # 18 to 24, 25 to 34, 35 to 44, from 56
        "gender": ["F", "M"],
        "occupation": ["artist", "lawyer", "writer"],
        "zip": ["0", "9", "T"],
    }
    # the unknown, then users 1 to 4; user 3 tells neither age nor gender
    assert codes == {
        "age": [0, 1, 4, 0, 1],
        "gender": [0, 1, 2, 0, 2],
        "occupation": [0, 3, 2, 1, 3],
        "zip": [0, 1, 2, 3, 1],
    }


def test_an_edition_that_tells_nothing_of_its_users(csv_lake: Manifest, data: DataDir) -> None:
    dataset, _ = make_dataset(csv_lake, ALL, data)
    assert dataset.user_levels == dataset.features().user_codes == {}
    assert dataset.features().genres.shape == (18, 3)  # every movie is an item


def test_what_no_training_row_has_leaves_nothing_behind(take_in: TakeIn, data: DataDir) -> None:
    # user 23 rates the last movie alone, which is not rated yet when the first two are
    kept = [row for row in planted().ratings if row[0] != 23 or row[1] == N_MOVIES]
    assert (23, N_MOVIES) in [row[:2] for row in kept]
    early = datetime.fromtimestamp(FIRST_TS + 60 * N_USERS * 2 - 1, UTC)
    dataset, _ = make_dataset(take_in(Planted(kept, planted().movies)), ALL, data, as_of=early)
    features = dataset.features()
    assert dataset.items.ids.tolist() == [1, 2]
    assert dataset.users.ids.tolist() == [u for u in range(1, N_USERS + 1) if u != 23]
    assert len(features.years) == len(features.genres) == 3
    assert not features.genres[0].any()
    assert features.years[0] == 0
    assert len(features.user_codes) == 4
    assert all(len(code) == N_USERS for code in features.user_codes.values())
    assert all(code[0] == 0 for code in features.user_codes.values())
