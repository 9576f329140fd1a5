"""The published neighbours: the nearest of all items, and the nearest of the popular ones.

A cosine of factors that a few ratings made is mostly chance, so what an item is like is best read
among items that many rated. Both lists are cut at 20 of their own, so that neither is short for
what the other holds.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collab.release.interpret import Learnt
from collab.release.neighbors import nearest_rows, pair_cosines

NEIGHBORS = 20
TOGETHER = 8192  # items whose neighbours are put in order at once
FEWEST = (50, 20, 10, 5)  # ratings that make an item popular: as many as the edition can afford
SHARE = 2 / 3  # of all ratings, that popular items hold at least


def popular_from(n_ratings: Sequence[int]) -> int:
    """From how many ratings on an item counts as popular in an edition.

    50, as one would wish; fewer where so few ratings are spread over so many items that those of 50
    would be a minority of what is watched (ml-latest-small: 20), or where hardly more than the
    neighbours of one item would be left.

    Args:
        n_ratings: of every item (n,).
    """
    counts = np.asarray(n_ratings)
    for least in FEWEST:
        popular = counts[counts >= least]
        if len(popular) > NEIGHBORS and popular.sum() >= SHARE * counts.sum():
            return least
    return 1


def similarity_table(
    found: Learnt, popular: Tensor | None = None, k: int = NEIGHBORS
) -> pd.DataFrame:
    """The most similar of every item by the cosine of the factors: exact, itself excluded.

    Args:
        found: the items.
        popular: (n,) which of them are; all by default.
        k: how many.

    Returns:
        As `ranked` does, with `cosine`.
    """
    unit = torch.nn.functional.normalize(torch.from_numpy(found.factors), dim=1)
    rows = of_both(popular, lambda among: nearest_rows(unit, k, among)[1])
    cosine = pair_cosines(unit, rows).clamp(-1, 1)
    return ranked(found, popular, rows, {"similarity": cosine, "cosine": cosine}, k)


def of_both(popular: Tensor | None, search: Callable[[Tensor | None], Tensor]) -> Tensor:
    """Row numbers (n, c) that a search finds among all items and among popular ones, side by side.

    Args:
        popular: (n,) which items are; None: all.
        search: given the numbers (m,) of those that may be found, or None for all.
    """
    if popular is None:
        return search(None)
    both = torch.cat([search(None), search(popular.nonzero()[:, 0])], dim=1)
    return both.sort(dim=1).values  # so that one found twice stands beside itself


def ranked(
    found: Learnt,
    popular: Tensor | None,
    rows: Tensor,
    columns: dict[str, Tensor],
    k: int = NEIGHBORS,
) -> pd.DataFrame:
    """The k best of each item among all and among popular ones, by `similarity`.

    Args:
        found: the items.
        popular: (n,) which of them are; None: all.
        rows: (n, c) numbers of the items that may be neighbours; one that stands there twice stands
            beside itself.
        columns: what is known of each pair (n, c), `similarity` among it.
        k: how many.

    Returns:
        `item_id, neighbor_id, rank, rank_popular` and the columns, most similar first; a rank is
        missing (NA) where the neighbour is beyond the k-th of that list.
    """
    parts = range(0, len(rows), TOGETHER)
    return pd.concat(
        [ranked_from(found, popular, rows, columns, k, start) for start in parts],
        ignore_index=True,
    )


def ranked_from(
    found: Learnt,
    popular: Tensor | None,
    rows: Tensor,
    columns: dict[str, Tensor],
    k: int,
    start: int,
) -> pd.DataFrame:
    """The same of the items from `start` on: sorting all at once would take a GiB."""
    here = slice(start, start + TOGETHER)
    rows, columns = rows[here], {name: of[here] for name, of in columns.items()}
    first = torch.ones_like(rows, dtype=torch.bool)
    first[:, 1:] = rows[:, 1:] != rows[:, :-1]
    order = columns["similarity"].argsort(dim=1, descending=True, stable=True)
    rows, first = rows.gather(1, order), first.gather(1, order)
    ranks = {"rank": first, "rank_popular": first if popular is None else first & popular[rows]}
    ranks = {name: places(of, k) for name, of in ranks.items()}
    kept = (ranks["rank"] > 0) | (ranks["rank_popular"] > 0)
    table = {
        "item_id": found.ids[here][kept.nonzero()[:, 0].numpy()],
        "neighbor_id": found.ids[rows[kept].numpy()],
        **{name: missing_zero(of[kept]) for name, of in ranks.items()},
    }
    values = {name: of.gather(1, order)[kept].numpy() for name, of in columns.items()}
    return pd.DataFrame(table | values)


def places(chosen: Tensor, k: int) -> Tensor:
    """The first k true values of each row numbered from 1; else 0; (n, c) both."""
    at = chosen.cumsum(1)
    return at * (chosen & (at <= k))


def missing_zero(ranks: Tensor) -> pd.Series:
    """Ranks as small integers; 0 is missing."""
    column = pd.Series(ranks.numpy().astype(np.uint8))
    return column.astype("UInt8").mask(column == 0)
