"""Side features: genres and year of the items, what is published of the users."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from collab.base.database import open_database, read_parquet
from collab.dataset.vocabulary import Vocabulary
from collab.lake import Manifest

AGE_BANDS = (18, 25, 35, 45, 50, 56)  # where a new band of ml-1m begins; ml-100k has the years


@dataclass(frozen=True, kw_only=True)
class Features:
    """What is known besides the ratings, by dense index; row 0, the unknown, is all zeros.

    genres: (n_items, n_genres) 0 or 1, uint8, in the order of `genre_names`.
    years: (n_items,) int16; 0 where no release year is known.
    user_codes: column name -> (n_users,) int16, 0 unknown: age band, gender, occupation, first
        character of the postal code; empty for an edition that publishes nothing of its users.
    """

    genres: Tensor
    years: Tensor
    genre_names: tuple[str, ...] = ()
    user_codes: dict[str, Tensor] = field(default_factory=dict)


def item_features(
    lake: Manifest, items: Vocabulary
) -> tuple[dict[str, NDArray[np.generic]], list[str]]:
    """Arrays `genres` and `years` of the items, and the genres' names."""
    with open_database() as con:
        table = con.execute(
            f"SELECT item_id, release_year, genres FROM {read_parquet(lake.movies)} "  # noqa: S608
            "WHERE movie_id = item_id"
        ).df()
    return encode_items(table, items)


def encode_items(
    table: pd.DataFrame, items: Vocabulary
) -> tuple[dict[str, NDArray[np.generic]], list[str]]:
    """The same of a table `item_id, release_year, genres`, these as lists."""
    at = items.encode(table["item_id"].to_numpy())
    names = sorted({genre for genres in table["genres"] for genre in genres})
    place = {genre: number for number, genre in enumerate(names)}
    flags = np.zeros((len(items), len(names)), dtype=np.uint8)
    for row, genres in zip(at, table["genres"], strict=True):
        flags[row, [place[genre] for genre in genres]] = 1
    years = np.zeros(len(items), dtype=np.int16)
    years[at] = table["release_year"].fillna(0).to_numpy(dtype=np.int16)
    flags[0], years[0] = 0, 0  # where items fell that no training row has
    return {"genres": flags, "years": years}, names


def user_features(
    lake: Manifest, users: Vocabulary
) -> tuple[dict[str, NDArray[np.generic]], dict[str, list[str]]]:
    """Arrays of the users' codes by column, and the columns' levels, from code 1 on."""
    return encode_users(pd.read_parquet(lake.users), users)


def encode_users(
    table: pd.DataFrame, users: Vocabulary
) -> tuple[dict[str, NDArray[np.generic]], dict[str, list[str]]]:
    """The same of a table `user_id, age, gender, occupation, zip_code`."""
    band = np.digitize(table["age"].fillna(0).to_numpy(dtype=float), AGE_BANDS).astype(str)
    columns = {
        "age": pd.Series(band).where(table["age"].notna()),
        "gender": table["gender"],
        "occupation": table["occupation"],
        "zip": table["zip_code"].astype("string").str[:1],
    }
    at = users.encode(table["user_id"].to_numpy())
    arrays: dict[str, NDArray[np.generic]] = {}
    levels: dict[str, list[str]] = {}
    for name, column in columns.items():
        codes, found = pd.factorize(column, sort=True)
        if len(found):
            array = np.zeros(len(users), dtype=np.int16)
            array[at] = codes + 1
            array[0] = 0
            arrays[name], levels[name] = array, [str(level) for level in found]
    return arrays, levels


def as_tensors(arrays: dict[str, NDArray[np.generic]], names: list[str]) -> Features:
    """The arrays of a folder as features."""
    known = {k: torch.from_numpy(v) for k, v in arrays.items()}
    codes = {k.removeprefix("user_"): v for k, v in known.items() if k.startswith("user_")}
    return Features(
        genres=known["genres"], years=known["years"], genre_names=tuple(names), user_codes=codes
    )
