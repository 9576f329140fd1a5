"""The ratings in one pass: from an archive's text to sorted Parquet, a few users at a time.

Archives stand by user, so whole users can be taken off the stream, sorted while they are in the
cache, looked at and written: memory does not grow with the edition.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collab.movielens.layouts import Member
from collab.movielens.members import Members
from collab.movielens.read import lines

ROWS = 1 << 17  # about what a cache holds
SCHEMA = pa.schema(
    {
        "position": pa.int64(),
        "user_id": pa.int32(),
        "movie_id": pa.int32(),
        "rating": pa.float32(),
        "ts": pa.int64(),
    }
)
# whole numbers as packed differences, the ten ratings there are as a dictionary: as small as zstd
# makes them, and written in half the time
ENCODINGS = dict.fromkeys(("position", "user_id", "movie_id", "ts"), "DELTA_BINARY_PACKED")

Columns = dict[str, NDArray[Any]]


class Odd(Exception):  # noqa: N818 # no error yet: SQL is to say what is wrong, and where
    """Something in the ratings is not what any archive has."""


class NotByUser(Exception):  # noqa: N818 # no error: the ratings are to be grouped first
    """A user comes back after another, or stands behind one of a higher id."""


def write_ratings(
    con: duckdb.DuckDBPyConnection, members: Members, member: Member, path: Path
) -> bool:
    """Write the ratings as Parquet of `SCHEMA`, sorted by user, time and place in the archive.

    Returns:
        Whether every user rated a movie at most once.

    Raises:
        CollabError: the header is another one, or the member is damaged.
        Odd: a line cannot be read, a value is missing, has a fraction or is out of all bounds.
    """
    try:
        with closing(read(con, members, member)) as parts:
            return write_users(whole_users(parts), path)
    except NotByUser:
        return write_users(whole_users(by_user(read(con, members, member))), path)
    except Odd:
        path.unlink(missing_ok=True)
        raise


def read(
    con: duckdb.DuckDBPyConnection, members: Members, member: Member
) -> Generator[Columns, None, None]:
    """The lines as columns of `SCHEMA`, in parts.

    Raises:
        CollabError, Odd: as `write_ratings` says.
    """
    first = 0
    try:
        with lines(members, member) as query:
            for batch in con.sql(query).to_arrow_reader(ROWS):
                yield typed(batch, first)
                first += len(batch)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise Odd from error


def typed(batch: pa.RecordBatch, first: int) -> Columns:
    """Numbers read as DOUBLE as those of `SCHEMA`; `first` is the place of the first.

    Raises:
        Odd: one is missing or is not of its type.
    """
    columns = {"position": np.arange(first, first + len(batch))}
    for name in SCHEMA.names[1:]:
        column = batch.column(name)
        if column.null_count:
            raise Odd
        found = column.to_numpy()
        with np.errstate(invalid="ignore"):
            columns[name] = found.astype(SCHEMA.field(name).type.to_pandas_dtype(), copy=False)
        if columns[name] is not found and (columns[name] != found).any():
            raise Odd
    return columns


def whole_users(parts: Iterable[Columns]) -> Iterator[Columns]:
    """The same rows, cut so that all of a user stand in one part.

    Raises:
        NotByUser: they do not stand by user.
    """
    rest: Columns = {}
    for part in parts:
        rows = joined([rest, part]) if rest else part
        users = rows["user_id"]
        if (users[1:] < users[:-1]).any():
            raise NotByUser
        last = int(np.searchsorted(users, users[-1]))  # where the last user begins, perhaps not all
        if last:
            yield {name: column[:last] for name, column in rows.items()}
        rest = {name: column[last:] for name, column in rows.items()}
    if rest:
        yield rest


def joined(parts: list[Columns]) -> Columns:
    """Parts one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in SCHEMA.names}


def by_user(parts: Iterable[Columns]) -> Iterator[Columns]:
    """The same rows by user, those of a user as they stood."""
    rows = joined([*parts])
    order = np.argsort(rows["user_id"], kind="stable")
    for start in range(0, len(order), ROWS):
        at = order[start : start + ROWS]
        yield {name: column[at] for name, column in rows.items()}


def write_users(parts: Iterable[Columns], path: Path) -> bool:
    """Write parts of whole users, each sorted; returns whether every pair is there once.

    Raises:
        Odd: times are further apart than any archive's.
    """
    unique = True
    with pq.ParquetWriter(
        path, SCHEMA, compression="none", use_dictionary=["rating"], column_encoding=ENCODINGS
    ) as writer:
        for rows in parts:
            person = np.cumsum(np.diff(rows["user_id"], prepend=rows["user_id"][:1]) != 0)
            order = by_time(person, rows["ts"])
            unique = unique and once_each(person, rows["movie_id"])
            columns = [rows[name][order] for name in SCHEMA.names]
            writer.write_table(pa.table(columns, schema=SCHEMA))
    return unique


def by_time(person: NDArray[np.int64], ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order by person (n,), who stand one after the other from 0, and time; stable.

    Raises:
        Odd: the times do not fit into 32 bits.
    """
    low = ts.min()
    if int(ts.max()) - int(low) >= 1 << 32:
        raise Odd
    return np.argsort((person << 32) + (ts - low), kind="stable")


def once_each(person: NDArray[np.int64], movies: NDArray[np.int32]) -> bool:
    """Whether no person (n,) rated a movie twice; nothing to sort where both rise already."""
    pairs = (person << 32) + movies
    if not (pairs[1:] > pairs[:-1]).all():
        pairs.sort(kind="stable")
    return bool((pairs[1:] > pairs[:-1]).all())
