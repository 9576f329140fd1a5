"""Ids to dense indices and back. Index 0 is the unknown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collab.base.errors import CollabError

UNKNOWN = 0


@dataclass(frozen=True)
class Vocabulary:
    """The ids seen in training, sorted; `ids[i]` has index i + 1.

    entity: what the ids are of, for errors.
    ids: (n,) int32, strictly rising.
    """

    entity: str
    ids: NDArray[np.int32]

    @classmethod
    def of(cls, entity: str, seen: NDArray[np.integer]) -> "Vocabulary":
        """The vocabulary of the distinct ids in an array; ids are positive."""
        there = np.zeros(int(seen.max(initial=0)) + 1, dtype=np.bool_)
        there[seen] = True
        return cls(entity, np.flatnonzero(there).astype(np.int32))

    def __len__(self) -> int:
        """How many indices there are, the unknown counted."""
        return len(self.ids) + 1

    def encode(self, ids: NDArray[np.integer]) -> NDArray[np.int32]:
        """Indices (m,) of ids (m,); an id not seen in training gets 0."""
        highest = max(int(self.ids.max(initial=0)), int(ids.max(initial=0)))
        index_of = np.zeros(highest + 1, dtype=np.int32)  # a lookup: faster than a search at 32M
        index_of[self.ids] = np.arange(1, len(self), dtype=np.int32)
        found: NDArray[np.int32] = index_of[ids]
        return found

    def index(self, id_: int) -> int:
        """The index of one id.

        Raises:
            CollabError: it was not seen in training.
        """
        place = int(np.searchsorted(self.ids, id_))
        if place == len(self.ids) or self.ids[place] != id_:
            raise CollabError(f"{self.entity} {id_} is not in the training data.")
        return place + 1
