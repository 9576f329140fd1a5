"""Scalar random effects: one number for each level of a code, such as a user within one hour.

x_level ~ N(0, 1 / l), l ~ Gamma(1, 0.02). A code gives each rating one whole number, its key; the
levels are the keys that the training rows have.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from collab.base.errors import CollabError
from collab.dataset.features import Features
from collab.dataset.rows import Rows
from collab.estimators.bayes.draws import gamma, normal

SECONDS = {"second": 1, "minute": 60, "ten_minutes": 600, "hour": 3600, "day": 86400}
WEEK = 604800
YEARS = (1950, 1965, 1980, 1988, 1992, 1994, 1995, 1996, 1997, 2000, 2003, 2006, 2009, 2012, 2016)
TASTE = ("user_year", "user_popularity", "user_genres")
SESSION = ("user_second", "user_minute", "user_ten_minutes", "user_hour", "user_day", "week")
SHIFT = 34  # keys are user << 34 | bin: seconds need fewer bits


@dataclass(frozen=True)
class Codes:
    """The codes of a fit. `bands`: name -> (n_items,) int64, the band of each item."""

    names: tuple[str, ...]
    bands: Mapping[str, Tensor]

    def keys(self, name: str, rows: Rows) -> Tensor:
        """The key (n,), int64, of each rating, on the bands' device."""
        if name == "week":
            return rows.ts.long() // WEEK
        kind, users = name.removeprefix("user_"), rows.users.long() << SHIFT
        if kind in SECONDS:
            return users + rows.ts.long() // SECONDS[kind]
        return users + self.bands[kind].index_select(0, rows.items)


def codes_of(names: tuple[str, ...], features: Features, counts: Tensor) -> Codes:
    """The codes by their names; counts (n_items,): ratings of each item.

    Bands of items: by release year, by the logarithm of the popularity, by the exact set of genres.

    Raises:
        CollabError: there is no such effect.
    """
    unknown = set(names) - {*TASTE, *SESSION}
    if unknown:
        known = ", ".join((*TASTE, *SESSION))
        raise CollabError(f"Unknown effects {', '.join(sorted(unknown))}. Known: {known}.")
    device = counts.device
    edges = torch.tensor(YEARS, device=device)
    one = features.genres.new_ones(len(features.genres), 1)  # where an edition has no genres
    genres = torch.cat([features.genres, one], 1).to(device)
    sets = torch.unique(genres, dim=0, return_inverse=True)[1]
    bands = {
        "year": torch.bucketize(features.years.to(device).long(), edges, right=True),
        "popularity": (1 + counts.double()).log2().floor().long(),
        "genres": sets.flatten(),
    }
    used = {name.removeprefix("user_") for name in names}
    return Codes(names, {kind: band for kind, band in bands.items() if kind in used})


class Effect:
    """The numbers of one code.

    keys (levels,): sorted; level (n,) int32: of each training row; x (levels,); precision: l.
    """

    def __init__(self, name: str, keys: Tensor) -> None:
        """All zero; keys (n,): of the training rows."""
        self.name = name
        self.keys, level = torch.unique(keys, return_inverse=True)
        self.level = level.int()
        self.x = torch.zeros(len(self.keys), device=keys.device)
        self.precision = torch.tensor(20.0, device=keys.device)

    def at_rows(self) -> Tensor:
        """The effect on each training row, (n,)."""
        return self.x.index_select(0, self.level)

    def draw(self, left: Tensor, weight: Tensor, g: torch.Generator) -> None:
        """The numbers, then their precision, given what all else leaves of the rows, (n,)."""
        zeros = torch.zeros_like(self.x)
        total = zeros.index_add(0, self.level, weight * left)
        certainty = zeros.index_add(0, self.level, weight) + self.precision
        self.x = total / certainty + normal((len(zeros),), g) * certainty.rsqrt()
        shape = torch.tensor([1 + len(self.x) / 2], device=left.device)
        rate = 0.02 + self.x.square().sum() / 2
        self.precision = (gamma(shape, g)[0] / rate).float()


def find(keys: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Where each wanted key (n,) stands among the sorted keys, and whether it is there at all."""
    if not len(keys):
        return torch.zeros_like(wanted), torch.zeros_like(wanted, dtype=torch.bool)
    at = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    return at, keys[at] == wanted
