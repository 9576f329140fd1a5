"""Ids to dense indices and back. Index 0 is the unknown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collab.errors import CollabError

UNKNOWN = 0


@dataclass(frozen=True)
class Vocabulary:
    """The ids seen in training, sorted; `ids[i]` has index i + 1.

    entity: what the ids are of, for errors.
    ids: (n,) int64, strictly rising.
    """

    entity: str
    ids: NDArray[np.int64]

    @classmethod
    def of(cls, entity: str, seen: NDArray[np.int64]) -> "Vocabulary":
        """The vocabulary of the distinct ids in an array."""
        return cls(entity, np.unique(seen).astype(np.int64))

    def __len__(self) -> int:
        """How many indices there are, the unknown counted."""
        return len(self.ids) + 1

    def encode(self, ids: NDArray[np.int64]) -> NDArray[np.int32]:
        """Indices (m,) of ids (m,); an id not seen in training gets 0."""
        place = np.searchsorted(self.ids, ids)
        known = self.ids[np.minimum(place, len(self.ids) - 1)] == ids
        return np.where(known, place + 1, UNKNOWN).astype(np.int32)

    def index(self, id_: int) -> int:
        """The index of one id.

        Raises:
            CollabError: it was not seen in training.
        """
        (found,) = self.encode(np.array([id_]))
        if found == UNKNOWN:
            raise CollabError(f"{self.entity} {id_} is not in the training data.")
        return int(found)
