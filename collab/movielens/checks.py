"""Checks of the parsed tables: SQL that returns the rows which fail, with a name and a severity."""

import logging
from datetime import UTC, datetime

import duckdb

from collab.base.checks import Check, CheckResult, describe, passed, run_check
from collab.base.errors import CollabError
from collab.movielens.editions import Edition, Scale

log = logging.getLogger(__name__)


class CheckError(CollabError):
    """Checks of severity error failed; `results` holds all results, the passed ones too."""

    def __init__(self, results: list[CheckResult]) -> None:
        """Say each failed check and its first row."""
        self.results = results
        failed = [r for r in results if not r.passed and r.severity == "error"]
        lines = "".join(f"\n  - {describe(result)}" for result in failed)
        super().__init__(
            f"{len(failed)} of {len(results)} checks of the data failed; nothing was published:"
            f"{lines}"
        )


# what may not be missing: the columns that the published tables declare NOT NULL
REQUIRED = {
    "ratings": ("position", "user_id", "movie_id", "rating", "ts"),
    "movies": ("movie_id", "item_id", "title", "genres"),
    "users": ("user_id",),
}
GARBLED = r"[\x{C2}\x{C3}][\x{80}-\x{BF}]|\x{FFFD}"  # UTF-8 that was read as Latin-1


def row_checks(edition: Edition) -> list[Check]:
    """The checks of rows, with the edition's scale filled in."""
    scale = edition.scale
    errors = {
        "ratings_not_empty": "SELECT 0 AS ratings WHERE NOT EXISTS (FROM ratings)",
        **{f"{table}_without_nulls": missing(table) for table in REQUIRED},
        "title_not_empty": "SELECT movie_id, title FROM movies WHERE trim(title) = ''",
        "ids_positive": """
            SELECT 'ratings' AS "table", position, user_id, movie_id FROM ratings
            WHERE user_id <= 0 OR movie_id <= 0
            UNION ALL BY NAME SELECT 'movies' AS "table", movie_id FROM movies WHERE movie_id <= 0
            UNION ALL BY NAME SELECT 'users' AS "table", user_id FROM users WHERE user_id <= 0""",
        "rating_on_scale": f"""
            SELECT position, user_id, movie_id, rating FROM ratings WHERE {off_scale(scale)}""",
        "user_movie_unique": """
            SELECT user_id, movie_id, count(*) AS n, min(position) AS first_position FROM ratings
            GROUP BY ALL HAVING count(*) > 1 ORDER BY first_position""",
        "movie_id_unique": """
            SELECT movie_id, count(*) AS n FROM movies
            GROUP BY ALL HAVING count(*) > 1 ORDER BY movie_id""",
        "movie_known": """
            SELECT position, user_id, movie_id FROM ratings ANTI JOIN movies USING (movie_id)""",
        "user_id_unique": """
            SELECT user_id, count(*) AS n FROM users
            GROUP BY ALL HAVING count(*) > 1 ORDER BY user_id""",
        "user_known": "SELECT position, user_id FROM ratings ANTI JOIN users USING (user_id)",
        "ts_since_1995": f"""
            SELECT position, user_id, movie_id, ts FROM ratings
            WHERE ts NOT BETWEEN {epoch(1995)} AND epoch(now())::BIGINT""",
        "fold_of_ratings": "FROM folds WHERE position IS NULL",
        "merge_keeps_rows": """
            SELECT n_ratings, n_merged
            FROM (SELECT count(*) AS n_ratings FROM ratings),
                 (SELECT count(*) AS n_merged FROM ratings JOIN movies USING (movie_id))
            WHERE n_ratings <> n_merged""",
    }
    warnings = {
        "title_unique": """
            SELECT title, list(movie_id ORDER BY movie_id) AS movie_ids FROM movies
            GROUP BY title HAVING count(*) > 1 ORDER BY title""",
        "title_trimmed": "SELECT movie_id, title FROM movies WHERE title <> trim(title)",
        "title_not_garbled": f"""
            SELECT movie_id, title FROM movies WHERE regexp_matches(title, '{GARBLED}')""",
        "title_with_year": "SELECT movie_id, title FROM movies WHERE release_year IS NULL",
    }
    screens = {  # few distinct values stand for millions of rows
        "rating_on_scale": f"FROM (SELECT DISTINCT rating FROM ratings) WHERE {off_scale(scale)}",
        "movie_known": """
            FROM (SELECT DISTINCT movie_id FROM ratings) ANTI JOIN movies USING (movie_id)""",
        "user_known": """
            FROM (SELECT DISTINCT user_id FROM ratings) ANTI JOIN users USING (user_id)""",
    }
    return [
        Check(name=name, severity="error", sql=sql, screen=screens.get(name))
        for name, sql in errors.items()
    ] + [Check(name=name, severity="warning", sql=sql) for name, sql in warnings.items()]


def missing(table: str) -> str:
    """The rows of a table that lack what may not be missing."""
    return f"FROM {table} WHERE {' OR '.join(f'{c} IS NULL' for c in REQUIRED[table])}"


def off_scale(scale: Scale) -> str:
    """The condition of ratings that there cannot be."""
    return (
        f"NOT (rating BETWEEN {scale.low} AND {scale.high} "
        f"AND (rating - {scale.low}) % {scale.step} = 0)"
    )


def epoch(year: int) -> int:
    """Seconds from 1970 to the beginning of a year, UTC."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def count_checks(edition: Edition, *, trust: bool) -> list[Check]:
    """One check for each published count; warnings where the archive is trusted as it is."""
    if edition.counts is None:
        return []
    published = {
        "ratings": ("SELECT count(*) FROM ratings", edition.counts.ratings),
        "users": ("SELECT count(*) FROM users", edition.counts.users),
        "movies": ("SELECT count(*) FROM movies", edition.counts.movies),
    }
    return [
        Check(
            name=f"{name}_as_published",
            severity="warning" if trust else "error",
            sql=f"SELECT ({found}) AS found, {expected} AS published WHERE found <> published",
        )
        for name, (found, expected) in published.items()
    ]


def run_checks(
    con: duckdb.DuckDBPyConnection,
    edition: Edition,
    *,
    trust: bool,
    proved: frozenset[str] = frozenset(),
) -> list[CheckResult]:
    """All checks over the tables `ratings`, `movies`, `users` and `folds` of a connection.

    proved: the names of those that need no query any more.
    """
    checks = count_checks(edition, trust=trust) + row_checks(edition)
    return [passed(check) if check.name in proved else run_check(con, check) for check in checks]


def refuse_errors(results: list[CheckResult]) -> None:
    """Stop where a check of severity error failed.

    Raises:
        CheckError: names each failed check with its first failing row.
    """
    if any(not result.passed and result.severity == "error" for result in results):
        raise CheckError(results)


def log_failures(results: list[CheckResult]) -> None:
    """One warning for each check that failed without stopping the run."""
    for result in results:
        if not result.passed and result.severity == "warning":
            log.warning("Check %s", describe(result))
