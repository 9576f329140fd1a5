"""Ids to indices and back."""

import numpy as np
import pytest

from collab.base.errors import CollabError
from collab.dataset.vocabulary import Vocabulary

WORDS = Vocabulary.of("movie", np.array([30, 10, 20, 10]))


def test_indices_follow_the_ids_and_leave_0_to_the_unknown() -> None:
    assert len(WORDS) == 4
    assert WORDS.encode(np.array([10, 20, 30])).tolist() == [1, 2, 3]


def test_unseen_ids_are_0_wherever_they_lie() -> None:
    assert WORDS.encode(np.array([5, 15, 99, 30])).tolist() == [0, 0, 0, 3]


def test_the_error_names_entity_and_id() -> None:
    assert WORDS.index(20) == 2
    with pytest.raises(CollabError, match="movie 15 is not in the training data"):
        WORDS.index(15)
