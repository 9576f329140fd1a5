"""Members to tables: DuckDB reads every layout, with explicit columns and no guessing."""

import re
from pathlib import Path

import duckdb

from collab.base.errors import CollabError
from collab.movielens.editions import Edition, ItemKey
from collab.movielens.layouts import GENRE_FLAGS, Layout, Member, layout_of

INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
NO_GENRES = "(no genres listed)"
# the last "(1995)" of a title, also "(1995-1997)" and "(1995–)"
YEAR = r".*\((\d{4})(?:[-–]\d{0,4})?\)"


def parse(con: duckdb.DuckDBPyConnection, folder: Path, edition: Edition, key: ItemKey) -> None:
    """Create the tables `ratings`, `movies` and `users` from the members in a folder.

    - `ratings(position BIGINT, user_id INTEGER, movie_id INTEGER, rating FLOAT, ts BIGINT)`:
      `position` counts from 0 in the archive's order, `ts` is seconds since 1970;
    - `movies(movie_id INTEGER, item_id INTEGER, title VARCHAR, release_year SMALLINT,
      genres VARCHAR[])`: titles as published; an item is a title or a movie, as `key` says, and
      `item_id` its smallest movie id;
    - `users(user_id INTEGER, age SMALLINT, gender VARCHAR, occupation VARCHAR, zip_code VARCHAR)`:
      every user; demographics are NULL where the edition has none;
    - `folds(fold VARCHAR, position BIGINT, user_id INTEGER, movie_id INTEGER)`: the validation rows
      of each fold whose file is in the archive; `position` is NULL where no rating is theirs.

    Raises:
        CollabError: a header or a value is not what the layout says; names the file and the line.
    """
    layout = layout_of(edition)
    for name, member in (("ratings", layout.ratings), ("movies", layout.movies)):
        read_member(con, folder, member, f"raw_{name}")
    con.execute(
        "CREATE TABLE ratings AS SELECT row_number() OVER () - 1 AS position, "
        "user_id, movie_id, rating, ts FROM raw_ratings"
    )
    con.execute(f"CREATE TABLE movies AS {movies_sql(layout, key)}", {"year": YEAR})
    create_users(con, folder, layout)
    create_folds(con, folder, layout)


def read_member(con: duckdb.DuckDBPyConnection, folder: Path, member: Member, table: str) -> None:
    """Read one member into a view of the columns its layout declares.

    DuckDB would round 1.7 to the integer 2, so whole numbers are read as DOUBLE, which holds every
    one there is, and become integers once none has a fraction.
    """
    path = folder / member.name
    check_header(path, member)
    columns = ", ".join(
        f"{_literal(c)}: {_literal('DOUBLE' if kind in INTEGERS else kind)}"
        for c, kind in member.columns.items()
    )
    query = f"""
        CREATE TABLE read_{table} AS FROM read_csv(
            $path, auto_detect = false, header = {member.header is not None},
            columns = {{{columns}}}, delim = $delimiter, quote = $quote, escape = $quote,
            encoding = $encoding)"""
    try:
        con.execute(
            query,
            {
                "path": str(path),
                "delimiter": member.delimiter,
                "quote": member.quote,
                "encoding": member.encoding,
            },
        )
    except duckdb.Error as error:
        raise CollabError(csv_error(member, str(error))) from error
    refuse_fractions(con, member, f"read_{table}")
    typed = ", ".join(f"{_quoted(c)}::{kind} AS {_quoted(c)}" for c, kind in member.columns.items())
    con.execute(f"CREATE VIEW {table} AS SELECT {typed} FROM read_{table}")  # noqa: S608


def refuse_fractions(con: duckdb.DuckDBPyConnection, member: Member, table: str) -> None:
    """Stop where a column of integers holds anything else.

    Raises:
        CollabError: names the line of the first one.
    """
    for name, kind in member.columns.items():
        if kind not in INTEGERS:
            continue
        column = _quoted(name)
        found = con.execute(
            f"SELECT rowid, {column} FROM {table} "  # noqa: S608
            f"WHERE try_cast({column} AS {kind}) IS DISTINCT FROM {column} ORDER BY rowid LIMIT 1"
        ).fetchone()
        if found:
            row, value = found
            line = row + (2 if member.header else 1)
            raise CollabError(
                f"{member.name}, line {line}: the column {column} holds {value!r}, which is no "
                f"{kind}. {_expected(member)}"
            )


def check_header(path: Path, member: Member) -> None:
    """Compare the first line; a swapped header would otherwise be accepted in silence."""
    if member.header is None:
        return
    with path.open("rb") as file:
        found = file.readline(1000).decode("utf-8", errors="replace").strip("\ufeff\r\n")
    if found != member.header:
        raise CollabError(
            f"{member.name}: the header is {found!r}, expected {member.header!r}. "
            "Columns in another order would be read as something else; mend the file."
        )


def csv_error(member: Member, message: str) -> str:
    """DuckDB's report of a bad line as one sentence with the line and what stands there."""
    line = re.search(r"Line: (\d+)", message)
    content = re.search(r"Original Line: (.*)", message)
    cause = re.search(
        r"(?m)^(?:Error when converting column|Expected Number of|Invalid unicode) .*?"
        r"(?= to '\w+'|$)",  # a type to read by, not the one expected
        message,
    )
    where = f"{member.name}, line {line.group(1)}" if line else member.name
    shown = f" in {content.group(1).strip()[:80]!r}" if content else ""
    reason = (cause.group() if cause else message.strip().splitlines()[0]).rstrip(".")
    return f"{where}: {reason}{shown}. {_expected(member)}"


def _expected(member: Member) -> str:
    """What the first columns must be, and what to do."""
    columns = [f"{name} {kind}" for name, kind in member.columns.items()]
    shown = ", ".join(columns[:5]) + (", …" if len(columns) > 5 else "")
    return f"Expected the columns {shown}; mend the file."


def movies_sql(layout: Layout, key: ItemKey) -> str:
    """The query for `movies` over `raw_movies`."""
    if "genre_list" in layout.movies.columns:
        genres = (
            f"CASE WHEN genre_list = '{NO_GENRES}' THEN [] "
            "ELSE list_filter(string_split(genre_list, '|'), lambda g: g <> '') END"
        )
    else:
        flags = ", ".join(
            f"CASE WHEN {_quoted(f'is_{genre}')} = 1 THEN {_literal(genre)} END"
            for genre in GENRE_FLAGS
            if genre != "unknown"
        )
        genres = f"list_filter([{flags}], lambda g: g IS NOT NULL)"
    item = "min(movie_id) OVER (PARTITION BY title)" if key == "title" else "movie_id"
    return f"""
        SELECT movie_id, {item} AS item_id, title,
               try_cast(nullif(regexp_extract(title, $year, 1), '') AS SMALLINT) AS release_year,
               {genres} AS genres
        FROM raw_movies"""  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def create_users(con: duckdb.DuckDBPyConnection, folder: Path, layout: Layout) -> None:
    """Create `users`: as published, or the ids of the ratings with unknown demographics."""
    if layout.users:
        read_member(con, folder, layout.users, "raw_users")
        con.execute(
            "CREATE TABLE users AS SELECT user_id, age, gender, occupation, zip_code FROM raw_users"
        )
    else:
        con.execute(
            "CREATE TABLE users AS SELECT DISTINCT user_id, NULL::SMALLINT AS age, "
            "NULL::VARCHAR AS gender, NULL::VARCHAR AS occupation, NULL::VARCHAR AS zip_code "
            "FROM ratings ORDER BY user_id"
        )


def create_folds(con: duckdb.DuckDBPyConnection, folder: Path, layout: Layout) -> None:
    """Create `folds` from the files of folds that are there."""
    con.execute(
        "CREATE TABLE folds (fold VARCHAR, position BIGINT, user_id INTEGER, movie_id INTEGER)"
    )
    for member in layout.folds:
        if (folder / member.name).exists():
            name = member.name.partition(".")[0]
            read_member(con, folder, member, f"raw_{name}")
            con.execute(
                "INSERT INTO folds SELECT $fold, position, user_id, movie_id "  # noqa: S608
                f"FROM raw_{name} LEFT JOIN ratings USING (user_id, movie_id, rating, ts)",
                {"fold": name},
            )
