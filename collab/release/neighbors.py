"""The exact nearest neighbours by cosine, in tiles that fit the processor's cache."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

ROWS, COLUMNS = 512, 4096  # of one tile of the similarity matrix
GROUP = 64  # neighbouring columns whose maximum is looked at first; divides COLUMNS


def nearest_rows(rows: Tensor, k: int, among: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Inner products and row numbers (n, k) of the k nearest of every row (n, d), itself excluded.

    Fewer than k where there are fewer rows; nearest first.

    Args:
        rows: (n, d).
        k: how many of each.
        among: (m,) numbers of the rows that may be found; all by default.
    """
    found = torch.arange(len(rows)) if among is None else among
    own = torch.full((len(rows),), -1)
    own[found] = torch.arange(len(found))
    others = rows if among is None else rows[among]
    k = min(k, len(others) - 1)
    with one_thread_each() as workers:
        search = partial(nearest, rows, others, own, k=k)
        parts = list(workers.map(search, range(0, len(rows), ROWS)))
    values, places = (torch.cat(columns) for columns in zip(*parts, strict=True))
    return values, found[places]


def pair_cosines(unit: Tensor, rows: Tensor) -> Tensor:
    """Inner products (n, c) of every unit row (n, d) with those of the given numbers (n, c)."""
    blocks = zip(torch.split(unit, ROWS), torch.split(rows, ROWS), strict=True)
    return torch.cat([torch.einsum("nd,nkd->nk", own, unit[others]) for own, others in blocks])


@contextmanager
def one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """As many workers as torch has threads, each computing on its own.

    Torch's threads wait for each other after every operation, which costs more than the operation
    where something else keeps the cores busy; blocks of rows need not wait for each other.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as workers:
            yield workers
    finally:
        torch.set_num_threads(threads)


def nearest(rows: Tensor, others: Tensor, own: Tensor, start: int, k: int) -> tuple[Tensor, Tensor]:
    """Products of rows `start` and on with the k nearest of others, and these' numbers (b, k).

    own: (n,) which of the others a row is; -1: none.
    """
    block, mine = rows[start : start + ROWS], own[start : start + ROWS]
    tiles = (
        product_tile(block, others[first : first + COLUMNS], mine - first)
        for first in tile_starts(len(others))
    )
    # of one tile there may be fewer groups than k, which would put no floor under anything
    group = GROUP if len(others) > COLUMNS else max(GROUP // 16, 1)
    return best_of_tiles(tiles, len(block), k, group)


def tile_starts(n: int) -> range:
    """The first columns of the tiles of a matrix of n columns."""
    return range(0, n, COLUMNS)


def empty_tile(rows: int) -> Tensor:
    """A tile (rows, COLUMNS), to be filled."""
    return torch.empty(rows, COLUMNS)


def best_of_tiles(
    tiles: Iterable[Tensor], rows: int, k: int, group: int | None = None
) -> tuple[Tensor, Tensor]:
    """The k highest values of every row and their columns (rows, k), highest first.

    A sort of all n values of a row costs more than computing them. Few can matter: the k-th
    highest of the groups' maxima so far is a floor under the k-th highest value, so a group whose
    maximum lies below it holds none of them.

    Args:
        tiles: (rows, COLUMNS) each, side by side; what is not to be found is -inf, and stands in
            the answer only where a row has nothing better, with a column that means nothing.
        rows: how many.
        k: how many of each, not more than there are columns.
        group: how many columns have one maximum; GROUP by default.
    """
    size = group or GROUP
    highest = torch.full((rows, k), -torch.inf)
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for number, tile in enumerate(tiles):
        groups = tile.view(rows, -1, size)
        maxima = groups.amax(dim=2)
        highest = torch.cat([highest, maxima], dim=1).topk(k, dim=1).values
        row, place = (maxima >= highest[:, -1:]).nonzero(as_tuple=True)
        values = groups[row, place]
        at, member = (values >= highest[row, -1:]).nonzero(as_tuple=True)
        column = number * COLUMNS + place[at] * size + member
        found.append((row[at], values[at, member], column))
    return best(found, highest[:, -1], k)


def product_tile(rows: Tensor, others: Tensor, own: Tensor) -> Tensor:
    """Products (b, COLUMNS) of rows (b, d) and (c, d); -inf beyond c and for a row with itself.

    own: (b,) which of the others a row is; none where it is no number of theirs.
    """
    tile = empty_tile(len(rows))
    if len(others) < COLUMNS:
        tile.fill_(-torch.inf)
    torch.mm(rows, others.T, out=tile[:, : len(others)])
    row = ((own >= 0) & (own < len(others))).nonzero()[:, 0]
    tile[row, own[row]] = -torch.inf
    return tile


def best(
    found: list[tuple[Tensor, Tensor, Tensor]], floor: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """The k highest values of each row and their columns (b, k) among (row, value, column).

    floor: (b,), at or under each row's k-th highest value; every row has k values above it.
    """
    row, value, column = (torch.cat(parts) for parts in zip(*found, strict=True))
    kept = value >= floor[row]
    row, value, column = row[kept], value[kept], column[kept]
    order = value.argsort(descending=True, stable=True)
    order = order[row[order].argsort(stable=True)]
    ends = torch.bincount(row, minlength=len(floor)).cumsum(0)
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    at = order[starts[:, None] + torch.arange(k)]
    return value[at], column[at]
