"""The editions' records."""

import re

import pytest

from collab.base.errors import CollabError
from collab.movielens.editions import EDITIONS, get_edition


def test_every_edition_of_the_family_is_known() -> None:
    names = "ml-100k ml-latest-small ml-1m ml-10m ml-20m ml-25m ml-32m ml-latest"
    assert list(EDITIONS) == names.split()


def test_checksums_are_whole() -> None:
    for edition in EDITIONS.values():
        sums = [edition.sha256, *edition.members.values()]
        assert all(re.fullmatch("[0-9a-f]{64}", s) for s in sums if s), edition.name


def test_only_ml_latest_is_unknown_before_it_is_fetched() -> None:
    assert [e.name for e in EDITIONS.values() if not (e.sha256 and e.size and e.counts)] == [
        "ml-latest"
    ]


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(CollabError, match=r"Unknown edition 'ml-100'. Did you mean ml-100k\?"):
        get_edition("ml-100")
