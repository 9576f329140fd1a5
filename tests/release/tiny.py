"""Tiny publications, and processes that publish them and read them.

A publication is two tables that hold one number in every row, the same in both: a statement that
sees two numbers has seen two publications.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import duckdb
import numpy as np

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.client import connect
from collab.release.interpret import Learnt
from collab.release.snapshot import Snapshot, publish_snapshot

EDITION = "ml-100k"
ROWS = 2000
VERSIONS = "SELECT v FROM a UNION SELECT v FROM b"


def factors(rows: list[list[float]], bias: list[float] | None = None) -> Learnt:
    """Items 10, 20, 30, ... with these factors."""
    ids = np.arange(1, len(rows) + 1, dtype=np.int32) * 10
    values = np.array(bias or [0.0] * len(rows), dtype=np.float32)
    return Learnt(ids=ids, factors=np.array(rows, dtype=np.float32), bias=values)


def fill(con: duckdb.DuckDBPyConnection, number: int, rows: int = ROWS) -> None:
    """Two tables of one number."""
    for name in ("a", "b"):
        con.execute(
            f"CREATE TABLE {name} AS "
            f"SELECT {number} AS v, i, hash(i) AS h FROM range({rows}) AS t(i)"
        )


def publish(serve: Path, number: int, rows: int = ROWS, **record: object) -> Snapshot:
    """Publish one number."""
    said = {"key": str(number), "edition": EDITION, "variant": "x", "valid_mse": 1.0, **record}
    return publish_snapshot(serve, lambda con: fill(con, number, rows), lambda con: None, said)


def served(serve: Path) -> int:
    """The number that is served, by a reader that knows the link alone."""
    with duckdb.connect(serve / "movielens.duckdb", read_only=True) as con:
        return the_number(con)


def the_number(con: duckdb.DuckDBPyConnection) -> int:
    """The one number of a publication; fails where a statement sees two, or not all rows."""
    ((number,),) = con.execute(VERSIONS).fetchall()
    ((rows,),) = con.execute("SELECT count(*) FROM a JOIN b USING (i, h)").fetchall()
    assert rows == ROWS, f"{rows} rows"
    return int(number)


def publish_many(data: DataDir, first: int, last: int, rows: int) -> None:
    """Publish the numbers from first to last, after telling that it begins."""
    print("ready", flush=True)
    for number in range(first, last + 1):
        publish(data.serve / EDITION, number, rows)


def read(data: DataDir, how: str) -> None:
    """Query until told to stop by a line on standard input; tell what was seen as JSON.

    how: `hold` keeps one session; `link` opens the link anew for each query, `client` likewise by
    `collab.connect`.
    """
    os.set_blocking(sys.stdin.fileno(), False)
    seen: list[int] = []
    errors: list[str] = []
    held = connect(data.root) if how == "hold" else None
    print("ready", flush=True)
    while not sys.stdin.read(1):
        try:
            if held:
                seen.append(the_number(held))
            elif how == "client":
                with connect(data.root) as con:
                    seen.append(the_number(con))
            else:
                seen.append(served(data.serve))
        except Exception as error:
            errors.append(repr(error))
        time.sleep(0.002)
    print(json.dumps({"seen": seen, "errors": errors}))


def leave_wal(data: DataDir) -> None:
    """Open what is served for writing, write, and die."""
    path = data.serve / "movielens.duckdb"
    path.chmod(0o644)
    con = duckdb.connect(path)
    con.execute("CREATE TABLE mine AS SELECT 1 AS x")
    os.kill(os.getpid(), signal.SIGKILL)


def main(command: str, root: str, *rest: str) -> int:
    """What a test starts as a process."""
    data = DataDir(Path(root))
    try:
        if command == "publish":
            first, last, rows = (int(text) for text in rest)
            publish_many(data, first, last, rows)
        elif command == "read":
            read(data, *rest)
        else:
            leave_wal(data)
    except CollabError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
