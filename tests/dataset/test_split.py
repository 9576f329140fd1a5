"""The split: disjoint, complete, the book's own rows."""

import pytest
import torch

from collab.base.errors import CollabError
from collab.dataset.split import random_split


def test_disjoint_complete_and_of_the_right_size() -> None:
    split = random_split(101, seed=3)
    assert len(split.valid) == 20
    assert sorted(torch.cat([split.train, split.valid]).tolist()) == list(range(101))


def test_too_few_rows_to_set_some_apart_are_refused() -> None:
    assert len(random_split(5, seed=3).valid) == 1
    with pytest.raises(CollabError, match="There are 4 ratings; at least 5 are needed"):
        random_split(4, seed=3)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    first, again, other = (random_split(1000, seed).valid.tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_rows_are_the_first_of_a_seeded_permutation() -> None:
    order = torch.randperm(50, generator=torch.Generator().manual_seed(42)).tolist()
    split = random_split(50, seed=42, valid_pct=0.3)
    assert split.valid.tolist() == order[:15]
    assert split.train.tolist() == order[15:]


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    random_split(100, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
